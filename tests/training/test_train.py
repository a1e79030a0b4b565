import pytest
import yaml

import vall_e
from vall_e.errors import ConfigError, TrainingError
from vall_e.folder_lock import locked
from vall_e.training.run_lock import held_by_this_run


@pytest.fixture
def config(bench, tmp_path):
    raw = bench.raw(max_steps=3, output=str(tmp_path / "run"))
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


def test_a_run_is_trained_from_python_and_resumed(config, registry):
    steps = []
    run = vall_e.train(config, registry=registry, on_step=lambda m: steps.append(m["step"]))
    assert (run.step, steps) == (3, [1, 2, 3])
    assert run.weights.is_file()
    more = vall_e.train(config, overrides=["training.max_steps=5"], resume=True, registry=registry)
    assert (more.step, more.folder) == (5, run.folder)


def test_an_exception_of_a_callback_ends_the_run_and_keeps_it(config, registry):
    def stop(metrics):
        if metrics["step"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vall_e.train(config, registry=registry, on_step=stop)
    assert vall_e.train(config, resume=True, registry=registry).step == 3


def test_two_runs_in_one_folder_are_refused(config, registry, tmp_path):
    with locked(tmp_path / "run", error=TrainingError), pytest.raises(TrainingError):
        vall_e.train(config, registry=registry)


def test_a_config_that_is_wrong_is_an_error_of_ours(tmp_path, registry):
    path = tmp_path / "run.yaml"
    path.write_text("training: {max_stpes: 3}")
    with pytest.raises(ConfigError, match="max_stpes"):
        vall_e.train(path, registry=registry)


def test_a_further_rank_shares_the_folder_that_the_first_holds(tmp_path):
    folder = tmp_path / "run"
    with locked(folder, error=TrainingError):
        with held_by_this_run(folder, {"RANK": "1", "WORLD_SIZE": "2"}):
            pass
        first = held_by_this_run(folder, {"RANK": "0", "WORLD_SIZE": "2"})
        with pytest.raises(TrainingError, match="already being written"), first:
            pass
