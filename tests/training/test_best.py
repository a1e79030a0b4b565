"""The best weights by validation, stopping early, and a warm-up that fits the run."""

import pytest

from vall_e.training.best import BestSoFar
from vall_e.training.run import RunCallbacks
from vall_e.training.schedules.factors import fitted_warmup
from vall_e.weights.file import load
from vall_e.weights.locate import find_weights

RUINOUS = {"optimizer": {"name": "adamw", "lr": 1.0}, "schedule": "constant"}


def test_the_best_weights_are_kept_beside_the_newest(bench, registry):
    """With a rate that ruins the model the initial weights are the best."""
    run = bench.train(evaluate_every=2, **RUINOUS)
    assert run.progress.best["step"] == 0
    best = load(find_weights(bench.folder / "run" / "best"), registry)
    assert best.statistics["steps"] == 0
    assert best.statistics["validation.ar"] == pytest.approx(run.progress.best["loss"])
    assert load(find_weights(bench.folder / "run"), registry).statistics["steps"] == 6


def test_a_run_that_gets_no_better_stops_early(bench):
    run = bench.train(evaluate_every=1, early_stop=2, **RUINOUS)
    assert run.progress.step == 2


def test_the_best_is_remembered_when_a_run_is_resumed(bench):
    options = {"evaluate_every": 1, **RUINOUS}
    bench.train(commands="quit@2", **options)
    again = bench.train(resume=True, **options)
    assert again.progress.best["step"] == 0
    assert again.progress.best["since"] == 6


def test_without_validation_there_is_no_best(bench):
    run = bench.train(data={"validation": []})
    assert run.progress.best == {}
    assert not (bench.folder / "run" / "best").exists()


def test_step_0_is_validated(bench):
    found = []
    bench.train(watch=RunCallbacks(on_validation=lambda one: found.append(one["step"])))
    assert found == [0, 6]


def test_the_loss_that_decides_is_that_of_level_0_if_there_is_one():
    best = BestSoFar()
    assert best.update({"validation.nar": 1.0, "validation.ar": 5.0}, 0)
    assert not best.update({"validation.nar": 0.5, "validation.ar": 5.5}, 1)
    assert (best.name, best.step, best.since) == ("validation.ar", 0, 1)


@pytest.mark.parametrize(
    ("steps", "warmup"), [(30, 3), (599, 59), (600, 300), (5, 1), (10_000, 300)]
)
def test_a_warm_up_fits_the_run(steps, warmup):
    """300 is the default: 30 steps ended at a tenth of the rate."""
    assert fitted_warmup(300, steps) == warmup
