"""A run speaks with each validation, and the best weights are those by any metric."""

import json

import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.config.training import BestConfig
from vall_e.errors import TrainingError
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.training.best import BestSoFar
from vall_e.training.loop import evaluate_only
from vall_e.training.run import RunCallbacks
from vall_e.training.samples import stft_distance
from vall_e.weights.file import load
from vall_e.weights.locate import find_weights

SPOKEN = {"count": 2, "judged": False}
SHORT = {"sections": {"synthesis": {"max_seconds": 0.5}}}


def lines(run):
    return [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]


def names(run, step):
    return sorted(path.name for path in (run.folder / "samples" / f"step-{step:06d}").iterdir())


def test_utterances_are_spoken_beside_their_prompts_and_recordings(bench):
    run = bench.train(samples=SPOKEN, max_steps=2, evaluate_every=2, **SHORT)
    groups = [f"{group}-{number:02d}" for group, number in
              (("held-out", 0), ("held-out", 1), ("trained", 2), ("trained", 3))]  # fmt: skip
    expected = sorted(
        f"{name}{end}.wav" for name in groups for end in ("", "-prompt", "-recording")
    )
    assert names(run, 0) == expected
    assert names(run, 2) == expected
    last = [line for line in lines(run) if "validation.ar" in line][-1]
    assert last["step"] == 2
    assert last["samples.held-out.stft_distance"] > 0
    assert last["samples.trained.stft_distance"] > 0


def test_a_sample_is_what_the_checkpoint_speaks(bench):
    """So nothing that speaking keeps from one validation to the next is out of date."""
    run = bench.train(samples=SPOKEN, max_steps=4, evaluate_every=2, **SHORT)
    text = run.samples.texts[1]
    saved = load(find_weights(run.folder), bench.registry)
    assert saved.statistics["steps"] == 4
    codec = run.samples.codec
    folder = bench.folder / "again"
    again = type(run.samples)([run.samples.texts[0], text], codec, bench.registry, False)
    again(saved, folder)
    spoken = run.folder / "samples" / "step-000004" / "held-out-01.wav"
    found, expected = Clip.read(folder / "held-out-01.wav"), Clip.read(spoken)
    np.testing.assert_array_equal(found.samples, expected.samples)
    assert Synthesizer.of(saved, codec).sample_rate == found.sample_rate


def test_speaking_changes_nothing_in_the_training(bench):
    silent = bench.train("silent", max_steps=4, evaluate_every=2)
    spoken = bench.train("spoken", samples=SPOKEN, max_steps=4, evaluate_every=2, **SHORT)
    pairs = zip(
        silent.bundle.model.state_dict().values(),
        spoken.bundle.model.state_dict().values(),
        strict=True,
    )
    assert all(bool((left == right).all()) for left, right in pairs)


def test_sentences_of_a_file_are_spoken_as_well(bench):
    (bench.folder / "texts.txt").write_text("one two\nthree\nfour\n")
    texts = {**SPOKEN, "texts": str(bench.folder / "texts.txt")}
    run = bench.train(samples=texts, max_steps=1, evaluate_every=1, **SHORT)
    found = [name for name in names(run, 1) if name.startswith("texts")]
    assert found == [
        "texts-04-prompt.wav", "texts-04.wav", "texts-05-prompt.wav", "texts-05.wav",
    ]  # fmt: skip


@pytest.mark.slow
def test_samples_are_judged_by_what_is_installed(bench):
    run = bench.train(samples={"count": 1}, max_steps=1, evaluate_every=1, **SHORT)
    page = (run.folder / "samples" / "step-000001" / "report.html").read_text()
    assert "held-out-00.wav" in page
    last = [line for line in lines(run) if "validation.ar" in line][-1]
    assert "samples.held-out.level_dbfs" in last


def test_a_run_can_only_be_evaluated(bench):
    bench.train(max_steps=2)
    run = bench.open(samples=SPOKEN, resume=True, **SHORT)
    seen = []
    found = evaluate_only(run, RunCallbacks(on_validation=seen.append))
    assert seen == [found]
    assert found["step"] == 2
    assert {"validation.ar", "samples.held-out.stft_distance"} <= set(found)
    assert lines(run)[-1] == found


def test_without_data_there_is_nothing_to_evaluate(bench):
    run = bench.open(data={"validation": []})
    with pytest.raises(TrainingError, match="nothing to evaluate"):
        evaluate_only(run, RunCallbacks())


def test_the_best_is_by_the_metric_of_the_config():
    best, config = BestSoFar(), BestConfig(metric="validation.ar_accuracy", mode="max")
    assert best.update({"validation.ar": 1.0, "validation.ar_accuracy": 0.2}, 1, config)
    assert not best.update({"validation.ar": 0.5, "validation.ar_accuracy": 0.1}, 2, config)
    assert best.update({"validation.ar": 2.0, "validation.ar_accuracy": 0.3}, 3, config)
    assert (best.step, best.loss, best.name) == (3, 0.3, "validation.ar_accuracy")


def test_a_metric_that_does_not_exist_is_refused_at_the_first_validation(bench):
    with pytest.raises(TrainingError, match=r"'validation\.wer' is not a result") as caught:
        bench.train(best={"metric": "validation.wer"})
    assert "validation.ar" in caught.value.hint


def test_equal_sounds_have_no_distance_and_others_have_one():
    rng = np.random.default_rng(0)
    sound = rng.normal(size=8000).astype(np.float32)
    assert stft_distance(sound, np.concatenate([sound, sound])) == 0
    assert stft_distance(sound, sound / np.float32(np.e)) == pytest.approx(1, abs=1e-3)
    assert stft_distance(sound[:100], sound[:100] * 0) > 1
