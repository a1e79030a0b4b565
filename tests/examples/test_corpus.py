import shutil
import sys

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner
from corpus import choose_sentences, main
from generate_recordings import COLUMNS, Corpus, Plan, fill
from postprocess import SAMPLE_RATE
from speakers import Speaker
from tts_engines import COMMANDS, EngineError, Engines

from vall_e.errors import DataError, UnavailableError

WHO = [Speaker("a", "flite", "en", "male"), Speaker("b", "flite", "en", "female")]
SENTENCES = [f"This is sentence number {number}." for number in range(5)]


def plan(**changes):
    options = {"count": 8, "max_seconds": float("inf"), "format": "wav"}
    return Plan(WHO, SENTENCES, **{**options, **changes})


def beep(speaker, text, name):
    """A voice that needs no engine; how long it lasts depends on the sentence."""
    hertz = 100 if speaker.id == "a" else 200
    time = np.arange(SAMPLE_RATE // 2 + int(text[-2]) * 100) / SAMPLE_RATE
    return np.sin(2 * np.pi * hertz * time).astype(np.float32) / 2


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_speakers_take_turns_and_sentences_come_round(tmp_path):
    fill(Corpus(tmp_path, plan()), plan(), beep)
    rows = [line.split("\t") for line in (tmp_path / "corpus.tsv").read_text().splitlines()]
    assert tuple(rows[0]) == COLUMNS
    assert [row[0] for row in rows[1:]] == ["a", "b"] * 4
    assert [row[-1] for row in rows[1:]] == SENTENCES + SENTENCES[:3]


def test_rows_tell_the_seconds_of_their_files(tmp_path):
    fill(Corpus(tmp_path, plan()), plan(), beep)
    for line in (tmp_path / "corpus.tsv").read_text().splitlines()[1:]:
        row = dict(zip(COLUMNS, line.split("\t"), strict=True))
        assert abs(sf.info(tmp_path / row["path"]).duration - float(row["seconds"])) < 1e-3


class Killed(BaseException):
    pass


@pytest.mark.parametrize("workers", [1, 3])
def test_a_killed_run_continues_to_the_same_corpus(tmp_path, workers):
    def mortal(speaker, text, name):
        if name.endswith("5"):
            raise Killed
        return beep(speaker, text, name)

    fill(Corpus(tmp_path / "whole", plan()), plan(), beep)
    killed = tmp_path / "killed"
    with pytest.raises(Killed):
        fill(Corpus(killed, plan()), plan(), mortal, workers=workers)
    with (killed / "corpus.tsv").open("a") as table:
        table.write("a\tflite\tma")  # the line that was being written
    fill(Corpus(killed, plan()), plan(), beep, workers=workers)
    assert files(killed) == files(tmp_path / "whole")


def test_what_is_there_is_not_made_again(tmp_path):
    fill(Corpus(tmp_path, plan()), plan(), beep)
    made = []
    fill(Corpus(tmp_path, plan()), plan(), beep, on_made=made.append)
    assert not made


def test_other_texts_are_refused(tmp_path):
    Corpus(tmp_path, plan())
    other = Plan(WHO, SENTENCES[1:], "wav", 8, float("inf"))
    with pytest.raises(DataError, match="begun with different texts"):
        Corpus(tmp_path, other)


def test_more_sentences_of_the_same_plan_are_added(tmp_path):
    fill(Corpus(tmp_path, plan(count=3)), plan(count=3), beep)
    fill(Corpus(tmp_path, plan(count=8)), plan(count=8), beep)
    assert len((tmp_path / "corpus.tsv").read_text().splitlines()) == 9


def test_it_stops_after_enough_audio(tmp_path):
    corpus = Corpus(tmp_path, plan(max_seconds=1.2))
    fill(corpus, plan(max_seconds=1.2), beep)
    assert 1.2 <= corpus.seconds < 1.8
    assert len((tmp_path / "corpus.tsv").read_text().splitlines()) == 4


def test_a_sentence_that_fails_is_left_out(tmp_path):
    def choosy(speaker, text, name):
        if text == SENTENCES[1]:
            raise EngineError("b: no")
        return beep(speaker, text, name)

    made = []
    fill(Corpus(tmp_path, plan(count=5)), plan(count=5), choosy, on_made=made.append)
    assert [item.failure for item in made] == ["", "b: no", "", "", ""]
    assert SENTENCES[1] not in (tmp_path / "corpus.tsv").read_text()


def test_held_out_sentences_are_left_out_whatever_their_punctuation(tmp_path):
    texts, held_out = tmp_path / "texts.txt", tmp_path / "held_out.txt"
    texts.write_text(
        "The birch canoe slid!\nGlue the sheet here.\nToo short.\n\nGlue the sheet here."
    )
    held_out.write_text("the birch canoe, slid\n")
    assert choose_sentences([texts], [held_out], words=(4, 9), seed=0) == ["Glue the sheet here."]


def test_no_sentence_at_all_is_an_error(tmp_path):
    (tmp_path / "texts.txt").write_text("Short.\n")
    with pytest.raises(DataError, match="no sentence has 4 to 9 words"):
        choose_sentences([tmp_path / "texts.txt"], [], words=(4, 9), seed=0)


def test_a_missing_engine_is_named_with_the_line_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="not installed: flite") as caught:
        Engines.of(WHO, tmp_path)
    assert caught.value.hint.startswith("apt-get install espeak-ng flite festival")


def test_a_missing_voice_is_named_with_what_the_engine_says(tmp_path, monkeypatch):
    engine = tmp_path / "flite"
    engine.write_text("#!/bin/sh\necho no such voice >&2\nexit 1\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    who = [Speaker("x", "flite", "en", "male", voice="slt")]
    with pytest.raises(UnavailableError, match="the voice slt: x: no such voice"):
        Engines.of(who, tmp_path)


def test_a_missing_hibari_is_named_with_the_line_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "hibari", None)
    with pytest.raises(UnavailableError, match="not installed: hibari") as caught:
        Engines.of([Speaker("heart", "hibari", "en", "female")], tmp_path)
    assert caught.value.hint == "pip install hibari-tts==0.2.1"


def test_hibari_speaks_slower_for_a_warped_voice_so_that_the_tempo_stays(tmp_path):
    def fake(text, *, speed, seed):
        length = int(SAMPLE_RATE / 2 / speed)
        return beep(plain, "0.", "")[:length]

    plain = Speaker("heart", "hibari", "en", "female")
    warped = Speaker("tall", "hibari", "en", "male", warp=0.8)
    engines = Engines(tmp_path, fake)
    assert len(engines(plain, "Yes.", "1")) == pytest.approx(SAMPLE_RATE / 2, abs=200)
    assert len(engines(warped, "Yes.", "2")) == pytest.approx(SAMPLE_RATE / 2, abs=200)


def require(engine):
    if not shutil.which(COMMANDS[engine]):
        pytest.skip(f"{COMMANDS[engine]} is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["espeak", "flite", "festival"])
def test_an_engine_says_a_sentence(tmp_path, engine):
    from speakers import invent

    require(engine)
    speaker = invent(1, seed=0, shares={engine: 1.0})[0]
    said = Engines.of([speaker], tmp_path)(speaker, '"Not yet," said the man -- slowly.', "one")
    assert 1 < len(said) / SAMPLE_RATE < 6
    assert 0.03 < np.sqrt(np.mean(said**2)) < 0.07


@pytest.mark.slow
def test_the_command_makes_a_corpus(tmp_path):
    require("espeak")
    (tmp_path / "texts.txt").write_text("Good morning to you all.\nThe sea is calm tonight.\n")
    (tmp_path / "who.json").write_text(
        '[{"id": "e", "engine": "espeak", "lang": "en", "gender": "male", '
        '"accent": "en-us", "variant": "name e\\n"}]'
    )
    options = ["--text", tmp_path / "texts.txt", "--speakers-json", tmp_path / "who.json"]
    done = CliRunner().invoke(main, [*map(str, options), "-o", str(tmp_path / "corpus")])
    assert done.exit_code == 0, done.output
    assert len((tmp_path / "corpus" / "corpus.tsv").read_text().splitlines()) == 3
