import io
import json
import os
import platform
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.cli.data.transcribe import transcription_progress
from vall_e.data.ingest.transcribe import recordings_in, to_json, transcribe
from vall_e.errors import DataError
from vall_e.interfaces.transcriber import Passage, Transcript, Word
from vall_e_judges.whisper import by_faster_whisper


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in" / "ann").mkdir(parents=True)
    for number in range(3):
        noise = np.random.default_rng(number).uniform(-0.1, 0.1, 8_000).astype(np.float32)
        Clip(noise, 16_000).write(tmp_path / "in" / "ann" / f"{number}.wav")
    return tmp_path / "in"


class Hearer:
    """Hears a word in everything, and is killed when it likes."""

    def __init__(self, dies_at=None):
        self.heard = 0
        self.dies_at = dies_at

    def __call__(self, clip):
        if self.heard == self.dies_at:
            raise KeyboardInterrupt
        self.heard += 1
        return Transcript((Passage(0.1, 0.4, "hello", "S1", (Word(0.1, 0.4, "hello"),)),), "en")


def run(folder, hear):
    return transcribe(folder, recordings_in(folder), folder / "heard.json", hear)


def test_what_is_heard_is_written_with_times(folder):
    assert run(folder, Hearer()).done == 3
    found = json.loads((folder / "heard.json").read_text())
    assert list(found) == ["ann/0.wav", "ann/1.wav", "ann/2.wav"]
    word = {"word": "hello", "start": 0.1, "end": 0.4}
    segment = {"start": 0.1, "end": 0.4, "text": "hello", "speaker": "S1", "words": [word]}
    facts = {"language": "en", "text": "hello", "start": 0.1, "end": 0.4}
    assert found["ann/0.wav"] == {"segments": [segment], **facts}


def test_what_was_heard_before_a_kill_is_not_heard_again(folder):
    with pytest.raises(KeyboardInterrupt):
        run(folder, Hearer(dies_at=2))
    with (folder / "heard.json.part.jsonl").open("a") as torn:
        torn.write('["ann/2.wav", {"segm')
    found = run(folder, Hearer())
    assert (found.done, found.already) == (1, 2)
    assert sorted(path.name for path in folder.iterdir()) == ["ann", "heard.json"]
    assert run(folder, Hearer(dies_at=0)).already == 3


def test_one_process_at_a_time_writes_a_file(folder):
    def hear(clip):
        with pytest.raises(
            DataError, match=r"heard\.json is already being written by this process"
        ):
            run(folder, Hearer())
        transcribe(folder, [], folder / "other.json", Hearer())
        return Hearer()(clip)

    assert run(folder, hear).done == 3
    assert {path.name for path in folder.iterdir()} == {"ann", "heard.json", "other.json"}


@pytest.mark.parametrize("name", ["heard.json", "heard.json.part.jsonl"])
def test_a_file_of_something_else_is_left_as_it_is(folder, name):
    (folder / name).write_text('{"path": "1.wav"}\n')
    with pytest.raises(DataError, match=name):
        run(folder, Hearer(dies_at=0))
    assert (folder / name).read_text() == '{"path": "1.wav"}\n'


def test_a_recording_that_cannot_be_read_is_reported_and_tried_again(folder):
    (folder / "ann" / "1.wav").write_bytes(b"RIFF")
    found = run(folder, Hearer())
    assert [name for name, _ in found.failed] == ["ann/1.wav"]
    assert len(run(folder, Hearer(dies_at=0)).failed) == 1


@pytest.mark.slow
def test_the_command_hears_every_other_one(folder, tmp_path, registry):
    pytest.importorskip("pocketsphinx")
    out = tmp_path / "part.json"
    args = ["data", "transcribe", str(folder), "-o", str(out), "--stride", "2", "--offset", "1"]
    result = CliRunner().invoke(cli, args, obj=App(registry=registry))
    assert result.exit_code == 0, result.output
    assert list(json.loads(out.read_text())) == ["ann/1.wav"]
    result = CliRunner().invoke(cli, [*args, "--language", "de"], obj=App(registry=registry))
    assert result.exit_code == 0  # it is there already


def test_beginning_again_never_leaves_the_journal_empty(folder):
    journal = folder / "heard.json.part.jsonl"
    journal.write_text('["gone.wav", {"segments": []}]\n')

    def hear(clip):
        raise RuntimeError

    unwritable = f"heard.json.part.jsonl.{platform.node()[:32]}-{os.getpid()}.part"
    (folder / unwritable).mkdir()  # the journal cannot be written anew
    with pytest.raises(DataError, match=r"heard\.json\.part\.jsonl cannot be written"):
        transcribe(folder, [], folder / "heard.json", hear)
    assert journal.read_text() == '["gone.wav", {"segments": []}]\n'


def test_speech_without_pauses_is_cut_at_word_times():
    """149 seconds of it gave a single segment, which no dataset takes."""
    words = [Word(n / 2, n / 2 + (0.5 if n % 20 else 0.3), f"w{n}") for n in range(298)]
    text = " ".join(word.text for word in words)
    heard = to_json(Transcript((Passage(0.0, 149.0, text, "S1", tuple(words)),), "en"))
    assert " ".join(one["text"] for one in heard["segments"]) == text
    assert all(0 < one["end"] - one["start"] <= 15 for one in heard["segments"])
    assert all(one["text"].split()[-1] in WIDEST for one in heard["segments"][:-1])
    assert heard["segments"][0]["words"][-1]["end"] == heard["segments"][0]["end"]
    assert {one["speaker"] for one in heard["segments"]} == {"S1"}


WIDEST = {f"w{n}" for n in range(0, 298, 20)}
"""The words with a gap behind them."""


@pytest.mark.parametrize("words", [(), (Word(0, 40, "long"), Word(40, 80, "er"))])
def test_a_passage_that_cannot_be_cut_short_is_kept(words):
    heard = to_json(Transcript((Passage(0.0, 80.0, "longer", words=words),), "ja"))
    assert "".join(one["text"] for one in heard["segments"]) == "longer"


class Reporting:
    """Says how far it is within a recording."""

    def __init__(self):
        self.languages = ()
        self.on_seconds = None


def test_the_bar_also_moves_within_a_recording(tmp_path):
    Clip(np.zeros(80_000, np.float32), 8_000).write(tmp_path / "long.wav")
    console = Console(force_terminal=True, file=io.StringIO(), width=100)
    hear = Reporting()
    with transcription_progress(console, tmp_path, ["long.wav"], hear):
        hear.on_seconds(4.0)
    assert "4/10" in console.file.getvalue()
    with transcription_progress(console, tmp_path, ["long.wav"], Hearer()) as on_item:
        on_item("long.wav")
    assert "10/10" in console.file.getvalue()


def test_a_transcriber_of_the_package_says_how_far_it_is():
    segments = [SimpleNamespace(start=n, end=n + 1, text="a", words=None) for n in range(2)]
    model = SimpleNamespace(transcribe=lambda *_, **__: (segments, SimpleNamespace(language="en")))
    reached = []
    hear = by_faster_whisper(model, beams=1, on_seconds=reached.append)
    assert len(hear(np.zeros(2, np.float32), None).passages) == 2
    assert reached == [1, 2]
