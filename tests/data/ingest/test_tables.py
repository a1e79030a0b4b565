"""Tables of transcripts: read as they are meant, or refused; nothing is lost in silence."""

import json

import pytest

from vall_e.data.ingest.recordings import find_recordings
from vall_e.errors import DataError


@pytest.fixture
def found(tmp_path):
    """(path, speaker, text) of each recording of a table, with audio beside it or in `wavs`."""

    def found(name, text, *files, explicit=False):
        folder = tmp_path / "corpus"
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).touch()
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        table = folder / name if explicit else None
        return [
            (one.path.relative_to(folder).as_posix(), one.speaker, one.text)
            for one in find_recordings(folder, transcripts=table)
        ]

    return found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metadata.csv", "file_name,transcription\na.wav,Hello.\n"),
        ("metadata.csv", "path,sentence\na.wav,Hello.\n"),
        ("metadata.csv", 'Path; Text\na.wav;"Hello."\n'),
        ("metadata.csv", "\ufeffaudio_file|text\r\na.wav|Hello.\r\n"),
        ("metadata.csv", "audio_file|text|speaker_name\na.wav|Hello.|corpus\n"),
        ("metadata.csv", "a.wav|Hello.\n"),
        ("metadata.csv", " a | Hello. \n"),
        ("metadata.csv", "a|Hello.|\n"),
        ("transcripts.tsv", "FILE\tTEXT\t\na.wav\tHello.\t\n"),
        ("transcripts.tsv", "path,text\na.wav,Hello.\n"),
        ("corpus.json", '[{"audio": "a.wav", "transcription": "Hello."}]'),
        ("corpus.jsonl", '{"audio_filepath": "a.wav", "text": "Hello."}\n'),
    ],
)
def test_what_is_meant_is_accepted(found, name, text):
    assert found(name, text, "a.wav") == [("a.wav", "corpus", "Hello.")]


@pytest.mark.parametrize("identity", ["a", "a.wav", " a ", "wavs/a.wav"])
def test_an_id_before_bars_may_be_a_file(found, identity):
    rows = found("metadata.csv", f"{identity}|Hello there.\n", "wavs/a.wav")
    assert rows == [("wavs/a.wav", "corpus", "Hello there.")]


def test_the_audio_of_an_id_may_be_of_another_kind(found):
    assert found("metadata.csv", "a|Hello.\n", "wavs/a.flac")[0][0] == "wavs/a.flac"


def test_a_file_list_may_be_named(found):
    (row,) = found("train.txt", "a.wav|ann|Hello there.\n", "a.wav", explicit=True)
    assert row == ("a.wav", "ann", "Hello there.")


@pytest.mark.parametrize(
    ("lines", "speakers", "texts"),
    [
        (["a|ann|Hello there."], ["ann"], ["Hello there."]),
        (["a|0|Hi.", "b|0|Good day."], ["0", "0"], ["Hi.", "Good day."]),
        (["a|Mr. B.|Mister B."], ["corpus"], ["Mister B."]),
        (["a|Yes.|Yes.", "b|No.|No."], ["corpus", "corpus"], ["Yes.", "No."]),
        (["a|yes|Yes"], ["corpus"], ["Yes"]),
        (["a|In 1850.|", "b|No.|No"], ["corpus", "corpus"], ["In 1850.", "No"]),
    ],
)
def test_the_second_of_three_columns_is_a_speaker_or_a_text(found, lines, speakers, texts):
    rows = found("metadata.csv", "\n".join(lines), "wavs/a.wav", "wavs/b.wav")
    assert [speaker for _, speaker, _ in rows] == speakers
    assert [text for _, _, text in rows] == texts


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("t.tsv", "path\ttext\na.wav\tone\ttwo\n", "line 2, has 3 cells, but there are 2 columns"),
        ("t.csv", "path,text\na.wav,well, yes\n", "line 2, has 3 cells"),
        ("t.csv", "path|text\na.wav|one|two\n", "line 2, has 3 cells"),
        ("t.csv", "a|one|two|three|four\n", "line 1, has 5 columns; expected ID|TEXT"),
        ("t.csv", "a|one\nb|one|two\n", "line 1, has 2 columns"),
        ("t.csv", "a|21|twenty one\n", "may be a speaker or a text"),
        ("t.csv", "a|ann|Hello\n", "may be a speaker or a text"),
        ("t.csv", "a\nb\n", "no text column, only a"),
        ("t.tsv", "a.wav\tHello.\nb.wav\tBye.\n", "no text column, only a.wav, Hello."),
        ("t.csv", "path,said\na.wav,Hello.\n", "no text column, only said"),
        ("t.csv", "path,text,text\na.wav,one,two\n", "two columns called text"),
        ("t.json", '[{"path": "a", "text": {}}]', "row 1, text: expected a text, found {}"),
        ("t.json", '[{"path": "a", "text": ["b"]}]', 'row 1, text: expected a text, found ["b"]'),
        ("t.jsonl", '\n{"path": "a", "text": true}\n', "line 2, text: expected a text, found true"),
        ("t.json", '[{"path": {"bytes": 1}, "text": "a"}]', "row 1, path: expected a text"),
    ],
)
def test_what_is_not_clear_is_refused_with_its_line(found, name, text, says):
    with pytest.raises(DataError) as caught:
        found(name, text, "a.wav", explicit=True)
    assert says in caught.value.message
    assert caught.value.hint


def test_columns_that_are_not_used_are_named(found, caplog):
    found("metadata.csv", "path,text,mood\na.wav,Hello.,glad\n", "a.wav")
    assert "columns that are not used: mood" in caplog.text


def test_numbers_are_texts_and_speakers(found):
    row = {"path": "a.wav", "text": 42, "speaker": 7}
    assert found("corpus.json", json.dumps([row]), "a.wav") == [("a.wav", "7", "42")]


def test_a_line_separator_is_part_of_a_text(found):
    text = "one\u2028two\x85three"
    for name, table in {
        "metadata.csv": f"a|{text}\n",
        "transcripts.tsv": f"path\ttext\na.wav\t{text}\n",
    }.items():
        assert [row[2] for row in found(name, table, "wavs/a.wav", explicit=True)] == [text]


def test_a_transcript_may_have_a_suffix_in_capitals(tmp_path):
    (tmp_path / "a.WAV").touch()
    (tmp_path / "a.TXT").write_text("Hello.")
    assert [one.text for one in find_recordings(tmp_path)] == ["Hello."]


def test_what_a_recognizer_wrote_is_text(tmp_path):
    (tmp_path / "a.wav").touch()
    segment = {"start": 0, "end": 1, "text": {}}
    (tmp_path / "heard.json").write_text(json.dumps({"a.wav": {"segments": [segment]}}))
    with pytest.raises(DataError, match=r"a segment of a\.wav"):
        find_recordings(tmp_path)
