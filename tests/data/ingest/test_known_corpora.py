import json

import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.audio.loudness import level_of, levelled
from vall_e.data.ingest.recordings import find_recordings
from vall_e.data.ingest.segments import read_part
from vall_e.errors import AudioError, DataError

COMMON = "client_id\tpath\tsentence\tlocale\nabc\t1.mp3\tHallo.\tde\n"
EMILIA = {"id": "DE_1", "text": " Hallo. ", "speaker": "DE_S1", "language": "de"}
LAYOUTS = {
    "lj": (
        {"metadata.csv": "LJ1|Mr. A|Mister A\n", "wavs/LJ1.wav": ""},
        "wavs/LJ1.wav",
        "Mister A",
    ),
    "librispeech": (
        {"84/12/84-12.trans.txt": "84-12-0 GO ON\n", "84/12/84-12-0.flac": ""},
        "84/12/84-12-0.flac",
        "go on",
    ),
    "libritts": (
        {"84/12/84_12_0.normalized.txt": "Go on.\n", "84/12/84_12_0.wav": ""},
        "84/12/84_12_0.wav",
        "Go on.",
    ),
    "vctk": (
        {"txt/p225/p225_001.txt": "Please.\n", "wav48_silence_trimmed/p225/p225_001_mic1.flac": ""},
        "wav48_silence_trimmed/p225/p225_001_mic1.flac",
        "Please.",
    ),
    "common-voice": ({"validated.tsv": COMMON, "clips/1.mp3": ""}, "clips/1.mp3", "Hallo."),
    "emilia": ({"a/1.mp3": "", "a/1.json": json.dumps(EMILIA)}, "a/1.mp3", "Hallo."),
}
SPEAKERS = {"lj": "lj", "librispeech": "84", "libritts": "84", "vctk": "p225"}


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_transcripts_of_a_known_corpus_are_found(tmp_path, name):
    files, path, text = LAYOUTS[name]
    write(tmp_path / name, files)
    [found] = find_recordings(tmp_path / name)
    assert (found.path, found.text) == (tmp_path / name / path, text)
    assert found.path.exists()
    if name in SPEAKERS:
        assert found.speaker == SPEAKERS[name]
    else:
        assert (found.language, found.speaker) in {("de", "abc"), ("de", "DE_S1")}


def heard(*segments):
    rows = [
        {"start": start, "end": end, "text": text, **({"speaker": who} if who else {})}
        for start, end, text, who in segments
    ]
    return {"segments": rows, "language": "en", "text": " ".join(row["text"] for row in rows)}


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "ann", {"1.wav": "", "2.wav": ""})
    long = heard((0.02, 4, "one", ""), (4.2, 9, "two", ""), (12, 19.5, "three", ""))
    rows = {"ann/1.wav": long, "ann/2.wav": heard((0, 2, "four", ""), (3, 5, "five", ""))}
    (tmp_path / "heard.json").write_text(json.dumps(rows))
    return tmp_path


def test_a_long_recording_that_was_transcribed_becomes_parts(folder):
    parts = find_recordings(folder)
    assert [part.id for part in parts] == ["ann/1_00000", "ann/1_00001", "ann/1_00002", "ann/2"]
    assert [(p.start, p.end) for p in parts[:2]] == [(0.0, 4.2), (pytest.approx(4.15), 9.5)]
    assert [part.text for part in parts] == ["one", "two", "three", "four five"]
    assert {part.speaker for part in parts} == {"ann"}


@pytest.mark.parametrize(("slices", "count"), [("never", 2), ("always", 5)])
def test_whether_recordings_are_cut_can_be_said(folder, slices, count):
    assert len(find_recordings(folder, slices=slices)) == count


def test_a_recording_of_several_speakers_is_cut(folder):
    row = heard((0, 2, "a", "S1"), (3, 5, "b", "S2"))
    (folder / "heard.json").write_text(json.dumps({"ann/1.wav": row}))
    assert [part.speaker for part in find_recordings(folder)] == ["ann/S1", "ann/S2"]


@pytest.mark.parametrize("channels", [1, 2])
def test_a_part_is_what_a_cut_of_the_whole_is(tmp_path, channels):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (channels, 16_000)).astype(np.float32)
    path = tmp_path / "a.wav"
    Clip(noise, 16_000).write(path)
    assert read_part(path, 0.25, 0.5) == Clip.read(path).cut(0.25, 0.5)
    assert read_part(path, 0.9, 3.0) == Clip.read(path).cut(0.9, 3.0)
    assert read_part(path, 0.0, None) == Clip.read(path)


def test_a_part_of_no_recording_is_reported(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match=r"a\.wav"):
        read_part(tmp_path / "a.wav", 0.0, 1.0)


def test_pauses_do_not_count_for_the_level():
    time = np.arange(16_000) / 16_000
    tone = (0.1 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)
    speech, paused = Clip(tone, 16_000), Clip(np.pad(tone, 16_000), 16_000)
    assert level_of(paused) == pytest.approx(level_of(speech), abs=0.2)
    assert level_of(levelled(paused, -16.0)) == pytest.approx(-16.0, abs=0.1)
    assert np.abs(levelled(speech, 20.0).samples).max() == pytest.approx(1.0)


def test_silence_cannot_be_made_loud():
    silent = Clip(np.zeros(16_000, np.float32), 16_000)
    assert levelled(silent, -16.0) == silent


DAMAGED = {
    "a line without a text": {"metadata.csv": "1|One.\nTwo.\n", "wavs/1.wav": ""},
    "is damaged": {"1.mp3": "", "1.json": "{"},
    "is not a JSON object": {"1.mp3": "", "1.json": "[1]"},
    "a segment of 1.wav": {"1.wav": "", "heard.json": '{"1.wav": {"segments": [{"end": 1}]}}'},
}


@pytest.mark.parametrize("said", DAMAGED)
def test_a_damaged_transcript_of_a_corpus_is_named(tmp_path, said):
    write(tmp_path, DAMAGED[said])
    with pytest.raises(DataError, match=said):
        find_recordings(tmp_path)


def test_a_transcript_of_a_corpus_that_is_not_utf_8_is_named(tmp_path):
    write(tmp_path, {"wavs/1.wav": ""})
    (tmp_path / "metadata.csv").write_bytes(b"1|Caf\xe9\n")
    with pytest.raises(DataError, match=r"metadata\.csv cannot be read"):
        find_recordings(tmp_path)


def test_an_empty_line_ends_no_table_of_lj_speech(tmp_path):
    write(tmp_path, {"metadata.csv": "1|One.\n\n2|Two.\n", "wavs/1.wav": "", "wavs/2.wav": ""})
    assert [one.text for one in find_recordings(tmp_path)] == ["One.", "Two."]


def test_a_table_beside_clips_may_have_other_columns(tmp_path):
    write(tmp_path, {"train.tsv": "file\ttext\n1.mp3\tHallo.\n", "clips/1.mp3": ""})
    assert [one.path.name for one in find_recordings(tmp_path)] == ["1.mp3"]


def test_a_table_of_ours_counts_before_a_layout_that_is_known(tmp_path):
    write(tmp_path, LAYOUTS["emilia"][0])
    write(tmp_path, {"transcripts.tsv": "path\ttext\nb.wav\tMine.\n", "b.wav": ""})
    assert [one.text for one in find_recordings(tmp_path)] == ["Mine."]
