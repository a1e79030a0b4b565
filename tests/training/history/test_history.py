"""What `vall-e plot` and `vall-e runs` make of the folders of runs."""

import json

import pytest
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.errors import TrainingError
from vall_e.training.history.compare import best, latest_loss
from vall_e.training.history.read import History, runs_in

LINES = [
    {"step": 0, "validation.ar": 6.0, "validation.ar_accuracy": 0.1},
    {"step": 1, "loss": 6.0, "tokens": 100, "seconds": 1.0, "grad_norm": 1.0},
    {"step": 2, "loss": 5.0, "tokens": 250, "seconds": 2.0, "grad_norm": None},
    {"step": 2, "validation.ar": 4.5, "validation.ar_accuracy": 0.4},
    {"step": 3, "loss": 4.0, "tokens": 300, "seconds": 3.0, "grad_norm": 3.0},
    {"step": 3, "validation.ar": 4.7, "validation.ar_accuracy": 0.3},
]


@pytest.fixture
def run(tmp_path):
    return written(tmp_path / "runs" / "first", LINES)


def written(folder, lines, *, rest=""):
    folder.mkdir(parents=True)
    text = "".join(json.dumps(line) + "\n" for line in lines) + rest
    (folder / "metrics.jsonl").write_text(text)
    return folder


def invoke(*words, registry=None):
    app = App(registry=registry) if registry else App(load_plugins=False)
    return CliRunner().invoke(cli, [str(word) for word in words], obj=app)


def test_a_validation_is_where_its_step_is_on_every_axis(run):
    curve = History.of(run).curve("validation.ar", "tokens")
    assert (curve.x.tolist(), curve.y.tolist()) == ([0, 250, 300], [6.0, 4.5, 4.7])


def test_values_that_were_not_finite_are_left_out(run):
    assert History.of(run).curve("grad_norm").x.tolist() == [1, 3]


def test_a_line_that_is_being_written_is_left_out(tmp_path):
    folder = written(tmp_path / "run", LINES[:2], rest='{"step": 2, "los')
    assert len(History.of(folder).lines) == 2


def test_steps_are_smoothed_and_validations_are_not(run):
    history = History.of(run)
    assert history.curve("loss").smoothed(2).y.tolist() == [6.0, 5.5, 4.5]
    assert history.curve("validation.ar").smoothed(2).y.tolist() == [6.0, 4.5, 4.7]


def test_the_best_loss_is_the_lowest_and_the_best_accuracy_the_highest(run):
    history = History.of(run)
    assert best(history, "validation.ar") == "4.500 (step 2)"
    assert best(history, "validation.ar_accuracy") == "0.400 (step 2)"
    assert latest_loss(history) == "5.000 ± 1.132"


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="has no metrics of a run"):
        History.of(tmp_path)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "html"])
def test_a_plot_is_written_in_the_format_of_its_suffix(run, tmp_path, suffix):
    path = tmp_path / f"plot.{suffix}"
    result = invoke("plot", run, "--y", "loss,validation.ar", "-o", path)
    assert result.exit_code == 0, result.output
    first = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<!doctype html>"}
    found = path.read_bytes()
    assert found.startswith(first[suffix])
    if suffix == "html":
        assert b"<svg" in found
        assert b"<script" not in found


def test_a_plot_on_the_terminal_names_its_curves(run):
    other = written(run.parent / "second", LINES[1:3])
    result = invoke("plot", run, other)
    assert result.exit_code == 0, result.output
    for label in ("first: loss", "first: validation.ar", "second: loss"):
        assert label in result.output


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--y", "nll.arr"], 9, "no run has the metric nll.arr"),
        (["-o", "plot.gif"], 9, "plots are written as .png, .svg, .pdf or .html, not .gif"),
        (["--x", "time"], 2, "Invalid value for '--x'"),
    ],
)
def test_what_cannot_be_plotted_is_explained(run, words, code, message):
    result = invoke("plot", run, *words)
    assert (result.exit_code, message in result.output) == (code, True), result.output


def test_runs_are_listed_with_their_best_validation(run):
    written(run.parent / "empty", [])
    result = invoke("runs", "list", run.parent, "--json")
    listed = {row["run"]: (row["step"], row["best"]) for row in json.loads(result.output)}
    assert listed == {"empty": (0, "-"), "first": (3, "validation.ar 4.500 (step 2)")}
    assert runs_in(run.parent) == [run.parent / "empty", run]


def test_runs_are_compared_by_the_options_that_differ(bench):
    bench.train("a", max_steps=2)
    bench.train("b", max_steps=3, seed=1)
    folders = [bench.folder / name for name in ("a", "b")]
    result = invoke("runs", "compare", *folders, "--json", registry=bench.registry)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert set(found["options"]) == {"training.max_steps", "training.seed"}
    a, b = map(str, folders)
    assert found["options"]["training.seed"] == {a: "0", b: "1"}
    assert found["figures"]["steps"] == {a: "2", b: "3"}
    text = invoke("runs", "compare", *folders, registry=bench.registry).output
    assert "training.seed" in text
    assert "best validation.ar" in text


def test_a_run_without_a_checkpoint_cannot_be_compared_yet(run):
    result = invoke("runs", "compare", run, run)
    assert result.exit_code == 7
    assert "wait until each run has written a checkpoint" in result.output
