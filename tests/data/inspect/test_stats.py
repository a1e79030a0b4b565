import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
from attrs import evolve
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.manifest import Entry, read_info, write_info
from vall_e.data.engines.local import LocalDataEngine
from vall_e.data.ingest.encode_recording import Preparer
from vall_e.data.ingest.process import process
from vall_e.data.ingest.recordings import find_recordings
from vall_e.data.inspect.check import validate
from vall_e.data.inspect.export_audio import write_sounds
from vall_e.data.inspect.stats import Survey, UtteranceInfo, survey
from vall_e.data.inspect.unusual import without_unusual
from vall_e.testing import StaircaseCodec, tiny_bundle


class Letters:
    def phonemes(self, text, language):
        return text


def make():
    return Preparer(
        codec=StaircaseCodec(levels=2),
        front_end=Letters(),
        phonemizer="letters",
        languages=("en-us", "de"),
    )


@pytest.fixture
def recordings(tmp_path):
    """Five of half a second to 0.9 s, by two speakers, in two languages."""
    folder = tmp_path / "audio"
    folder.mkdir()
    rows = ["path\ttext\tspeaker\tlang"]
    for number in range(5):
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, 8_000 + 1_600 * number)
        Clip(noise.astype(np.float32), 16_000).write(folder / f"{number}.wav")
        speaker, language = ("ann", "en-us") if number % 2 else ("bob", "de")
        rows.append(f"{number}.wav\thello {'abcde'[number]}\t{speaker}\t{language}")
    (folder / "transcripts.tsv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def dataset(recordings, tmp_path):
    process(find_recordings(recordings), tmp_path / "set", make, engine=LocalDataEngine())
    return tmp_path / "set"


def command(registry, *args):
    return CliRunner().invoke(cli, ["data", *map(str, args)], obj=App(registry=registry))


def item(number, seconds, text="x" * 20):
    return UtteranceInfo(str(number), "ann", "en", seconds, text)


def test_lengths_fall_into_bins_that_hold_all_of_them():
    found = Survey([item(n, 0.25 * n) for n in range(1, 40)]).histogram()
    assert sum(count for _, _, count in found) == 39
    assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(found))


def test_an_utterance_whose_text_does_not_fit_its_length_is_reported():
    usual = [item(n, 2 + n / 50) for n in range(20)]
    odd = [item("mumbled", 20.0), item("cut off", 0.3)]
    found = Survey([*usual, *odd]).outliers()
    assert [one.item.id for one in found] == ["mumbled", "cut off"] or {
        one.item.id for one in found
    } == {"mumbled", "cut off"}
    assert "missing text" in {one.item.id: one.reason for one in found}["mumbled"]
    assert "missing speech" in {one.item.id: one.reason for one in found}["cut off"]


def test_what_cannot_be_compared_is_not_an_outlier():
    assert Survey([item(1, 1.0), item(2, 99.0), item(3, 0.0), item(4, 1.0, "")]).outliers() == []


@pytest.mark.parametrize("kind", ["recordings", "dataset"])
def test_both_kinds_of_folders_have_the_same_figures(registry, request, kind):
    folder = request.getfixturevalue(kind)
    facts = json.loads(command(registry, "stats", folder, "--json").stdout)
    assert facts["utterances"] == 5
    assert facts["seconds"] == pytest.approx(3.5)
    assert [(g["name"], g["utterances"]) for g in facts["languages"]] == [("de", 3), ("en-us", 2)]
    assert facts["symbols"]["l"] == 10
    text = command(registry, "stats", folder).stdout
    assert "5 utterances, 0.00 h" in text
    assert "bob  ████" in text
    assert "'a' x 1" in text


def test_symbols_that_a_model_lacks_are_reported(registry, dataset, tmp_path):
    weights = tmp_path / "tiny.safetensors"
    tiny_bundle(registry, StaircaseCodec(levels=2)).save(weights)
    lacking = json.loads(command(registry, "stats", dataset, "-m", weights, "--json").stdout)
    assert lacking["unknown"] is not None
    result = command(registry, "validate", dataset, "-m", weights)
    assert ("vocabulary lacks" in result.stdout) == bool(lacking["unknown"])


def test_a_list_can_be_narrowed(registry, dataset):
    lines = command(registry, "list", dataset, "--speaker", "bob", "--min-seconds", 0.6).stdout
    assert [line.split("\t")[0] for line in lines.splitlines()] == ["2", "4"]
    result = command(registry, "list", dataset, "--language", "fr")
    assert result.exit_code == 8
    assert "no such utterance" in result.stderr


def test_a_sample_of_a_dataset_can_be_listened_to(registry, dataset, tmp_path):
    items = list(survey(dataset).items)[:2]
    write_sounds(Dataset(dataset), items, tmp_path / "out", lambda: StaircaseCodec(levels=2))
    assert Clip.read(tmp_path / "out" / "1.wav").seconds == pytest.approx(0.6, abs=0.05)
    assert (tmp_path / "out" / "1.txt").read_text() == "hello b\n"
    drawn = [command(registry, "sample", dataset, "-n", 3, "--seed", 7).stdout for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(drawn[0].splitlines()) == 3


def test_sounds_whose_names_would_be_one_are_kept_apart(recordings, tmp_path):
    names = ("a/b", "a_b", "a_b_2", "a_b")
    items = [
        evolve(one, id=name, start=0.1, end=0.3)
        for one, name in zip(survey(recordings).items, names, strict=False)
    ]
    write_sounds(None, items, tmp_path / "out", StaircaseCodec)
    sounds = {path.name: Clip.read(path) for path in (tmp_path / "out").glob("*.wav")}
    assert sorted(sounds) == ["a_b.wav", "a_b_2.wav", "a_b_2_2.wav", "a_b_3.wav"]
    assert all(clip.seconds == pytest.approx(0.2) for clip in sounds.values())


def test_another_codec_cannot_decode_a_sample(registry, dataset, tmp_path):
    result = command(registry, "sample", dataset, "-o", tmp_path / "out")
    assert result.exit_code == 8
    assert "the codec is embedded-16k" in result.stderr
    result = command(registry, "sample", dataset, "--set", "codec=embedded")
    assert (result.exit_code, "choose the codec for -o" in result.stderr) == (2, True)
    args = ("convert", dataset, tmp_path / "other", "--set", "codec=embedded")
    result = command(registry, *args)
    assert (result.exit_code, "names its own codec" in result.stderr) == (8, True)


def test_a_sample_of_recordings_is_written_too(registry, recordings, tmp_path):
    assert command(registry, "sample", recordings, "-o", tmp_path / "out").exit_code == 0
    assert len(list((tmp_path / "out").glob("*.wav"))) == 5
    (recordings / "1.wav").write_text("not audio")
    result = command(registry, "sample", recordings, "-o", tmp_path / "again")
    assert result.exit_code == 8
    assert "failed 1: " in result.stderr
    assert len(list((tmp_path / "again").glob("*.wav"))) == 4


@pytest.mark.parametrize("kind", ["recordings", "dataset"])
def test_sound_folders_are_valid(registry, request, kind):
    result = command(registry, "validate", request.getfixturevalue(kind))
    assert result.exit_code == 0, result.output
    assert "all 5 are valid" in result.output


def test_noise_needs_no_transcript_to_be_valid(registry, recordings):
    (recordings / "transcripts.tsv").unlink()
    for path in recordings.glob("*.wav"):
        path.with_suffix(".txt").write_text("hello")
    (recordings / "Noise").mkdir()
    (recordings / "0.wav").rename(recordings / "Noise" / "rain.wav")
    assert "all 5 are valid" in command(registry, "validate", recordings).output


@pytest.mark.parametrize("look", ["stats", "validate", "list", "sample", "metadata"])
def test_a_dataset_in_another_store_is_looked_at_as_a_folder_is(registry, dataset, tmp_path, look):
    shards, output = tmp_path / "shards", tmp_path / "out"
    assert command(registry, "convert", dataset, shards, "--to", "webdataset").exit_code == 0
    more = ["-o", output] if look == "metadata" else []
    told = [command(registry, look, source, *more) for source in (dataset, shards)]
    assert told[1].exit_code == 0, told[1].output
    assert told[1].stdout == told[0].stdout.replace(str(dataset), str(shards))


def test_a_file_that_is_not_a_dataset_and_a_table_for_one_are_refused(registry, dataset):
    result = command(registry, "stats", dataset / "codes.i16")
    assert (result.exit_code, "is not a dataset" in result.stderr) == (8, True)
    result = command(registry, "convert", dataset, dataset / "x", "--from", "webdataset")
    assert (result.exit_code, "leave out --from" in result.stderr) == (8, True)
    result = command(registry, "list", dataset, "--transcripts", dataset / "dataset.json")
    assert (result.exit_code, "leave it out" in result.stderr) == (2, True)


def test_recordings_that_are_not_valid_are_all_reported(registry, recordings):
    (recordings / "0.wav").write_bytes(b"RIFF")
    with (recordings / "transcripts.tsv").open("a") as table:
        table.write("1.wav\t\tann\tde\n")
    result = command(registry, "validate", recordings, "-m", recordings)
    assert (result.exit_code, "have no phonemes yet" in result.stderr) == (2, True)
    result = command(registry, "validate", recordings)
    assert result.exit_code == 8
    assert "0.wav" in result.stdout
    assert "1: it has no transcript" in result.stdout
    assert "1: its id '1' is already taken" in result.stdout
    assert "2 of 6 have problems" in result.stderr


def test_codes_outside_the_codebook_are_reported(registry, dataset):
    with (dataset / "codes.i16").open("r+b") as file:
        file.write((30_000).to_bytes(2, "little"))
    result = command(registry, "validate", dataset)
    assert "0: 1 of its codes are not from 0 to" in result.stdout
    assert result.exit_code == 8


def test_lengths_that_do_not_fit_the_codes_are_reported(registry, dataset):
    path = dataset / "manifest.jsonl"
    first, *rest = path.read_text().splitlines(keepends=True)
    entry = evolve(Entry(**json.loads(first)), seconds=9.0, phonemes="")
    path.write_text(
        json.dumps({**json.loads(first), "seconds": entry.seconds}) + "\n" + "".join(rest)
    )
    assert "9 s are" in command(registry, "validate", dataset).stdout


def test_an_unfinished_dataset_is_not_valid(registry, dataset):
    write_info(dataset, evolve(read_info(dataset), complete=False))
    result = command(registry, "validate", dataset)
    assert result.exit_code == 8
    assert "is not finished" in result.stderr


def test_a_speaker_whose_name_leads_elsewhere_gets_no_file(registry, dataset, tmp_path):
    manifest = dataset / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace('"speaker": "ann"', '"speaker": "../../ann"'))
    result = command(registry, "metadata", dataset, "-o", tmp_path / "a" / "meta")
    assert result.exit_code == 8
    assert "'../../ann' would be outside of" in result.stderr
    assert not list(tmp_path.glob("ann*"))


def test_metadata_is_one_file_a_speaker(registry, dataset, tmp_path):
    assert command(registry, "metadata", dataset, "-o", tmp_path / "meta").exit_code == 0
    facts = json.loads((tmp_path / "meta" / "ann.json").read_text())
    assert list(facts) == ["1", "3"]
    assert facts["3"] == {
        "text": "hello d",
        "phonemes": "hello d",
        "language": "en-us",
        "duration": 0.8,
    }


def test_processing_validation_and_statistics_agree_on_what_is_wrong(registry, tmp_path):
    folder = tmp_path / "audio"
    folder.mkdir()
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 61 * 8_000).astype(np.float32)
    Clip(noise[:8_000], 8_000).write(folder / "good.wav")
    Clip(noise[:800], 8_000).write(folder / "short.wav")
    Clip(noise, 8_000).write(folder / "long.wav")
    Clip(noise[:8_000] * 0, 8_000).write(folder / "silent.wav")
    (folder / "damaged.wav").write_bytes(b"RIFF")
    names = ("good", "short", "long", "silent", "damaged", "missing", "good")
    rows = [f"{name}.wav\thello\n" for name in names]
    (folder / "transcripts.tsv").write_text("path\ttext\n" + "".join(rows) + "good.wav\t\n")
    report = process(find_recordings(folder), tmp_path / "set", make, engine=LocalDataEngine())
    skipped = {(one.recording.id, one.reason) for one in report.skipped}
    _, problems = validate(folder)
    reported = {(one.id, one.reason) for one in problems}
    assert skipped <= reported
    assert reported - skipped == {("good", "it has no transcript")}  # besides its id
    shown = {(one.id, one.problem) for one in survey(folder).items if one.problem}
    assert shown == {one for one in skipped if one[0] != "silent"}  # headers do not show that


def test_unusual_recordings_can_be_left_out(tmp_path):
    folder = tmp_path / "audio"
    folder.mkdir()
    random = np.random.default_rng(0)
    rows = ["path\ttext\n"]
    for number in range(12):
        gain, text = (0.01 if number == 3 else 0.3), "hello there" * (20 if number == 7 else 1)
        noise = random.uniform(-gain, gain, 8_000 + 100 * number).astype(np.float32)
        Clip(noise, 16_000).write(folder / f"{number}.wav")
        rows.append(f"{number}.wav\t{text}\n")
    (folder / "transcripts.tsv").write_text("".join(rows))
    found = {one.id: one.problem for one in without_unusual(find_recordings(folder)) if one.problem}
    assert found.keys() == {"3", "7"}
    assert "-45 dBFS, the speaker's median is -15" in found["3"]
    assert "missing speech or too much text" in found["7"]


def test_the_command_leaves_out_what_is_unusual(registry, recordings, tmp_path):
    for number in range(20, 32):
        shutil.copy(recordings / "0.wav", recordings / f"{number}.wav")
        with (recordings / "transcripts.tsv").open("a") as table:
            table.write(f"{number}.wav\t{'hello a' * (30 if number == 20 else 1)}\tbob\tde\n")
    options = ["--set", "text={phonemizer: none, languages: [de, en-us]}", "--drop-unusual"]
    result = command(registry, "process", recordings, "-o", tmp_path / "set", *options)
    assert result.exit_code == 0, result.output
    assert "skipped 1: unusual: " in result.stdout
