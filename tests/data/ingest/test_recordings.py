import json
from pathlib import Path

import pytest

from vall_e.data.ingest.recordings import find_recordings
from vall_e.errors import DataError


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


ROWS = [
    {"id": "a", "speaker": "ann", "lang": "en", "path": "x/1.wav", "text": 'He said "no".'},
    {"id": "b", "speaker": "bob", "lang": "de", "path": "x/2.wav", "text": "Guten Tag, Welt."},
]


def as_tsv(rows):
    head = list(rows[0])
    return "\n".join("\t".join(row) for row in [head, *([row[k] for k in head] for row in rows)])


def as_csv(rows):
    head = list(rows[0])
    quoted = [['"' + row[k].replace('"', '""') + '"' for k in head] for row in rows]
    return "\n".join(",".join(row) for row in [head, *quoted])


TABLES = {
    "transcripts.tsv": as_tsv,
    "metadata.csv": as_csv,
    "corpus.json": json.dumps,
    "transcripts.jsonl": lambda rows: "\n".join(map(json.dumps, rows)),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_the_same(tmp_path, name):
    write(tmp_path, name, TABLES[name](ROWS))
    first, second = find_recordings(tmp_path)
    assert (first.id, first.speaker, first.language) == ("a", "ann", "en")
    assert first.text == 'He said "no".'
    assert first.path == tmp_path / "x/1.wav"
    assert second.text == "Guten Tag, Welt."


def test_a_table_may_say_little(tmp_path):
    write(tmp_path, "corpus.tsv", "path\ttext\nann/1.wav\thello\n")
    (found,) = find_recordings(tmp_path)
    assert (found.id, found.speaker, found.language) == ("ann/1", "ann", None)


def test_a_table_elsewhere_may_count_from_the_folder(tmp_path):
    write(tmp_path, "audio/1.wav", "")
    table = write(tmp_path, "tables/mine.tsv", "path\ttext\n1.wav\thello\n")
    (found,) = find_recordings(tmp_path / "audio", transcripts=table)
    assert found.path == tmp_path / "audio/1.wav"


def test_texts_may_lie_beside_the_recordings(tmp_path):
    write(tmp_path, "bob/1.wav", "")
    write(tmp_path, "bob/1.txt", "hello\n")
    write(tmp_path, "bob/2.FLAC", "")
    write(tmp_path, "bob/._1.wav", "what macOS knows of 1.wav")
    first, second = find_recordings(tmp_path)
    assert (first.id, first.speaker, first.text) == ("bob/1", "bob", "hello")
    assert (second.id, second.text) == ("bob/2", "")


def test_texts_without_a_recording_are_named(tmp_path, caplog):
    write(tmp_path, "bob/1.wav", "")
    for name in ("1.txt", "2.txt", "._3.txt"):
        write(tmp_path, f"bob/{name}", "hello")
    assert len(find_recordings(tmp_path)) == 1
    assert "texts without a recording beside them: bob/2.txt" in caplog.text


def test_one_speaker_for_all(tmp_path):
    write(tmp_path, "transcripts.tsv", as_tsv(ROWS))
    assert {r.speaker for r in find_recordings(tmp_path, speaker="me")} == {"me"}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "has no audio files"),
        ({"transcripts.tsv": "path\ttext\n"}, "transcripts.tsv lists no recordings"),
        ({"transcripts.tsv": "text\nhello\n"}, "transcripts.tsv names no audio files"),
        ({"transcripts.json": "{"}, "transcripts.json cannot be read"),
        ({"transcripts.json": '["a"]'}, "transcripts.json is not a list of objects"),
        (
            {"corpus.tsv": "path\n", "metadata.csv": "path\n"},
            "several tables .* metadata.csv, corpus",
        ),
    ],
    ids=str,
)
def test_what_is_not_a_folder_of_recordings_says_why(tmp_path, files, says):
    for name, text in files.items():
        write(tmp_path, name, text)
    with pytest.raises(DataError, match=says) as caught:
        find_recordings(tmp_path)
    assert caught.value.hint


def test_a_row_without_a_path_does_not_stop_the_others(tmp_path):
    write(tmp_path, "transcripts.tsv", "path\ttext\n1.wav\thello\n\tlost\n2.wav\tbye\n")
    first, lost, last = find_recordings(tmp_path)
    assert (first.problem, last.problem) == ("", "")
    assert lost.problem == "row 2 of the table names no audio file"


@pytest.mark.parametrize("table", ["transcripts.tsv", ""])
def test_the_speaker_is_the_real_name_of_the_folder(tmp_path, monkeypatch, table):
    write(tmp_path, "ann/1.wav", "")
    write(tmp_path, f"ann/{table or '1.txt'}", "path\ttext\n1.wav\thello\n")
    monkeypatch.chdir(tmp_path / "ann")
    assert [r.speaker for r in find_recordings(Path())] == ["ann"]


def test_a_byte_order_mark_is_not_part_of_a_text(tmp_path):
    write(tmp_path, "1.wav", "")
    (tmp_path / "1.txt").write_bytes(b"\xef\xbb\xbfhello")
    assert [r.text for r in find_recordings(tmp_path)] == ["hello"]


def test_a_transcript_in_another_encoding_is_reported(tmp_path):
    write(tmp_path, "1.wav", "")
    (tmp_path / "1.txt").write_bytes("grün".encode("latin-1"))
    (found,) = find_recordings(tmp_path)
    assert found.unread == "its transcript 1.txt is not UTF-8 text (byte 2)"
