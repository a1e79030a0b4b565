import pytest
from click.testing import CliRunner
from public_corpora import ORDERS, held_out_ids, main, read_prompts


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "corpus"


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(tmp_path, *args):
    done = CliRunner().invoke(main, [*map(str, args), "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    lines = (tmp_path / "out" / "transcripts.tsv").read_text().splitlines()
    return [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]


def test_librispeech_names_its_readers(tmp_path, folder):
    write(folder / "84" / "121" / "84-121.trans.txt", "84-121-0000 GO ON\n84-121-0001 STOP\n")
    write(folder / "9" / "7" / "9-7.trans.txt", "9-7-0000 YES\n")
    rows = run(tmp_path, "librispeech", folder, "--per-speaker", "1")
    assert [(row["speaker"], row["text"]) for row in rows] == [("LS84", "GO ON"), ("LS9", "YES")]
    assert rows[0]["path"] == "../corpus/84/121/84-121-0000.flac"


def test_ljspeech_takes_the_written_out_text(tmp_path, folder):
    write(folder / "metadata.csv", "LJ001-0002|in 1999.|in nineteen ninety-nine.\n")
    rows = run(tmp_path, "ljspeech", folder)
    assert rows[0]["text"] == "in nineteen ninety-nine."
    assert rows[0]["path"] == "../corpus/wavs/LJ001-0002.wav"


def prompts(tmp_path, count=60):
    path = tmp_path / "cmuarctic.data"
    write(path, "".join(f'( arctic_a{n:04d} "Prompt {n}." )\n' for n in range(1, count + 1)))
    return path


def test_the_last_take_of_a_prompt_counts(tmp_path, folder):
    for take in ("arctic_a0002_1.wav", "arctic_a0002_2.wav", "arctic_a0003.wav", "notes.txt"):
        write(folder / take)
    rows = run(tmp_path, "arctic", folder, "--prompts", prompts(tmp_path), "--speaker", "k")
    assert [row["path"] for row in rows] == [
        "../corpus/arctic_a0002_2.wav",
        "../corpus/arctic_a0003.wav",
    ]
    assert rows[0]["text"] == "Prompt 2."


def test_held_out_prompts_are_in_the_other_table_only(tmp_path, folder):
    for number in (1, 2, 28, 29):
        write(folder / f"arctic_a{number:04d}.flac")
    options = ["--prompts", prompts(tmp_path), "--speaker", "k", "--held-out", tmp_path / "eval"]
    rows = run(tmp_path, "arctic", folder, *options)
    held_out = (tmp_path / "eval" / "transcripts.tsv").read_text().splitlines()[1:]
    assert [row["id"] for row in rows] == ["arctic_a0002", "arctic_a0028"]
    assert [line.split("\t")[0] for line in held_out] == ["arctic_a0001", "arctic_a0029"]


def test_at_most_forty_prompts_are_held_out(tmp_path):
    path = prompts(tmp_path, 1200)
    assert len(read_prompts(path)) == 1200
    assert len(held_out_ids(path)) == 40


def test_orders_are_found_by_the_start_of_their_names(tmp_path, folder):
    name = ORDERS.read_text().splitlines()[1].split("\t")[0]
    write(folder / "data" / "speech" / "clean" / f"{name}-51bb-47cb-b323-4437bd0de029.wav")
    rows = run(tmp_path, "orders", folder)
    assert [row["id"] for row in rows] == [name]
    assert rows[0]["text"].endswith("coffee.")


def test_a_folder_without_the_corpus_is_an_error(tmp_path, folder):
    folder.mkdir()
    done = CliRunner().invoke(main, ["librispeech", str(folder), "-o", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "nothing was found" in done.output
    assert not (tmp_path / "out").exists()
