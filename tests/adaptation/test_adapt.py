import json
import shutil

import pytest

from vall_e.adaptation.comparison import BeforeAndAfter, HeldOutText, chosen
from vall_e.adaptation.own_recordings import held_out_of, own_recordings
from vall_e.adaptation.training_config import as_yaml, training_config
from vall_e.errors import DataError, TrainingError
from vall_e.training.commands import Commands
from vall_e.weights.locate import named_weights
from vall_e.weights.lora_file import read_lora
from vall_e.weights.speaking_options import load_run


def test_recordings_become_a_lora(home):
    found = home.adapt()
    assert found.lora == home.folder / "me.lora"
    assert 0 < found.step <= 3
    assert read_lora(found.lora).terms.rank == 8
    assert f"--lora {found.lora} --voice" in found.command
    assert "8 recordings (0.1 minutes) to learn from, 2 held out" in home.said
    assert any(line.startswith("Few recordings: 0.1 minutes") for line in home.said)
    assert any(str(home.folder / "me.lora.work") in line for line in home.said)


def test_the_same_command_continues_after_a_stop(home):
    stopped = Commands()
    stopped.stop("SIGINT")
    with pytest.raises(TrainingError, match="stopped by SIGINT after step 0 of 3") as caught:
        home.adapt(commands=stopped)
    assert caught.value.exit_code == 130
    assert not (home.folder / "me.lora").exists()
    assert home.adapt().step
    lines = (home.folder / "me.lora.work" / "run" / "metrics.jsonl").read_text().splitlines()
    before = len(lines)
    home.adapt()
    lines = (home.folder / "me.lora.work" / "run" / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == before


def test_a_training_that_makes_it_worse_leaves_no_lora(home):
    frozen = {"VALL_E__TRAINING__OPTIMIZER": "{name: adamw, lr: 1e-30, weight_decay: 0}"}
    with pytest.raises(TrainingError, match="no step was better"):
        home.adapt(environ=frozen)
    assert not (home.folder / "me.lora").exists()


def test_a_working_folder_of_other_recordings_is_not_continued(home):
    home.adapt(steps=1)
    home.record("new")
    with pytest.raises(DataError, match="made with other inputs: recordings"):
        home.adapt(steps=1)


def test_several_speakers_are_named_and_one_can_be_chosen(home):
    for number in range(5):
        home.record(f"bob/{number}")
    with pytest.raises(DataError, match=r"recordings of 2 speakers: me \(10\), bob \(5\)"):
        home.adapt()
    assert len(own_recordings(home.options(speaker="bob"), home.registry, print)) == 5
    with pytest.raises(DataError, match="no recording of the speaker 'eve'") as caught:
        home.adapt(speaker="eve")
    assert "bob, me" in caught.value.hint


def test_too_few_recordings_are_refused_before_anything_is_made(home):
    for path in [*home.recordings.iterdir()]:
        if path.stem not in "012":
            path.unlink()
    with pytest.raises(DataError, match="3 of 3 recordings have a text; at least 4"):
        home.adapt()
    assert not (home.folder / "me.lora.work").exists()


def test_recordings_that_are_all_too_short_are_refused_with_the_reason(home):
    for number in range(10):
        home.record(f"{number}", seconds=0.1)
    with pytest.raises(DataError, match=r"none of 8 recordings can be used: .* 0\.2"):
        home.adapt()


def test_a_folder_without_audio_is_refused(home):
    shutil.rmtree(home.recordings)
    home.recordings.mkdir()
    with pytest.raises(DataError, match="has no audio files"):
        home.adapt()


def test_recordings_without_texts_need_a_transcriber_that_works(home):
    for path in home.recordings.glob("*.txt"):
        path.unlink()
    with pytest.raises(DataError, match=r"no transcriber works here: .*whisperx") as caught:
        home.adapt(transcriber="whisperx")
    assert "transcripts.tsv" in caught.value.hint


def test_texts_that_a_transcriber_wrote_are_used(home):
    for path in home.recordings.glob("*.txt"):
        path.unlink()
    segment = {"start": 0.1, "end": 0.9, "text": "a b", "words": []}
    heard = {
        path.name: {"segments": [segment], "text": "a b", "language": "en-us"}
        for path in home.recordings.iterdir()
    }
    work = home.folder / "me.lora.work"
    work.mkdir()
    (work / "heard.json").write_text(json.dumps(heard))
    found = own_recordings(
        home.options(transcriber="pocketsphinx"), home.registry, home.said.append
    )
    assert {one.text for one in found} == {"a b"}


@pytest.mark.parametrize(("total", "held"), [(4, 2), (30, 3), (900, 20)])
def test_a_tenth_is_held_out_spread_over_all(total, held):
    learn, out = held_out_of(range(total))
    assert len(out) == held
    assert sorted([*learn, *out]) == [*range(total)]
    assert max(out) - min(out) >= total // 2


def test_the_built_in_model_is_trained_as_it_is(registry, home, tmp_path):
    weights = named_weights("embedded", registry)
    path = tmp_path / "train.yaml"
    path.write_bytes(as_yaml(training_config(weights, home.options(), registry)))
    config = load_run(path, registry).config
    assert config.model.text_stride == 3
    assert config.training.levels == (0,)  # its second file keeps the later ones
    assert config.training.wrappers[0].options.levels == (0,)
    assert config.synthesis.levels == 4
    assert config.sampling.guidance == 1.75
    assert config.data.train == (str(tmp_path / "data" / "learn"),)


def test_a_comparison_says_what_was_not_judged_and_why():
    figures = {"open_wer": (0.5, 0.25), "campp": (0.5, 0.4)}
    found = BeforeAndAfter(figures, {"similarity": "pip install it"}, ("campp",))
    first, second, worse, missing = found.lines()
    assert first == "open_wer: 0.50 before, 0.25 after"
    assert second == "campp: 0.50 before, 0.40 after"
    assert worse.startswith("Worse after than before: campp.")
    assert missing == "not judged by similarity: pip install it"


def test_long_sentences_are_only_spoken_if_there_are_no_others(tmp_path):
    short, long = HeldOutText("a" * 40, tmp_path), HeldOutText("a" * 400, tmp_path)
    assert chosen([long, short], 1) == [short]
    assert chosen([long], 1) == [long]
