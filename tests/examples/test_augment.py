import csv

import numpy as np
import pytest
import soundfile
from augment import held_out_speakers, main, quiet_cuts
from click.testing import CliRunner
from public_corpora import Utterance, write_table

RATE = 8000


def _tone(seconds, hertz=440.0):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


@pytest.fixture
def corpus(tmp_path):
    """Ten speakers, each with one recording of 7 s."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    rows = []
    for number in range(10):
        path = folder / f"{number}.flac"
        soundfile.write(path, _tone(7.0), RATE)
        rows.append(Utterance(str(number), f"speaker{number}", path, "Hello there."))
    write_table(rows, folder)
    return folder


def _run(*args):
    done = CliRunner().invoke(main, [str(arg) for arg in args])
    assert done.exit_code == 0, done.output


def _rows(folder):
    with (folder / "transcripts.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _pitch(path):
    samples, rate = soundfile.read(path)
    return np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples)


def test_a_warped_speaker_is_somebody_else_who_says_the_same(tmp_path, corpus):
    _run("warp", corpus, "--factor", "1.25", "--factor", "0.8", "-o", tmp_path / "warped")
    rows = _rows(tmp_path / "warped")
    assert [row["speaker"] for row in rows[:2]] == ["speaker0_x1.25", "speaker0_x0.8"]
    assert {row["text"] for row in rows} == {"Hello there."}
    fast, slow = (tmp_path / "warped" / row["path"] for row in rows[:2])
    assert _pitch(fast) == pytest.approx(440 * 1.25, rel=0.01)
    assert soundfile.info(fast).duration == pytest.approx(7.0 / 1.25, rel=0.01)
    assert _pitch(slow) == pytest.approx(440 * 0.8, rel=0.01)


def test_cuts_lie_where_it_is_quiet():
    samples = _tone(6.0).astype(np.float32)
    samples[round(2.9 * RATE) : round(3.1 * RATE)] = 0
    [first, second] = quiet_cuts(samples, RATE, 2.0, 4.0)
    assert 2.9 * RATE <= first[1] <= 3.1 * RATE
    assert second == (first[1], len(samples))


def test_pieces_have_no_text_and_hold_back_whole_speakers(tmp_path, corpus):
    _run("pieces", corpus, "--held-out", tmp_path / "held", "-o", tmp_path / "pieces")
    kept, held = _rows(tmp_path / "pieces"), _rows(tmp_path / "held")
    assert {row["text"] for row in kept + held} == {""}
    speakers, others = {row["speaker"] for row in kept}, {row["speaker"] for row in held}
    assert len(speakers) == 8
    assert others == held_out_speakers({f"speaker{i}" for i in range(10)})
    assert speakers.isdisjoint(others)
    for row in kept:
        assert 1.0 <= soundfile.info(tmp_path / "pieces" / row["path"]).duration <= 4.0


def test_nothing_is_held_back_unless_asked(tmp_path, corpus):
    _run("pieces", corpus, "-o", tmp_path / "pieces")
    assert len({row["speaker"] for row in _rows(tmp_path / "pieces")}) == 10
