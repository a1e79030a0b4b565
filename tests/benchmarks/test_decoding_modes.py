import json
import sys

import pytest
import torch
from click.testing import CliRunner

from vall_e.benchmarks.decoding_modes import (
    ORIGINALS,
    SHAPES,
    YARDSTICK,
    Setting,
    _beside_original,
    compare,
)
from vall_e.cli.app import App, cli


@pytest.fixture(scope="module")
def told(registry):
    return compare("tiny", registry, device=torch.device("cpu"), repeats=1, copied_bytes=1 << 20)


@pytest.mark.slow
def test_every_way_of_decoding_has_its_row(told):
    kinds = [f"{what}, {form}" for form in ("fp32", "bf16", "int8")
             for what in ("AR step", "prefill", "NAR stage")]  # fmt: skip
    loops = ["AR loop", "AR loop, no cache", "AR loop, batch of 8", "AR loop, int8", YARDSTICK]
    assert [row.name for row in told.rows] == kinds + loops
    assert all(row.seconds > 0 and row.ratio > 0 for row in told.rows)
    assert told.to_json()["rows"][0]["name"] == "AR step, fp32"


def test_what_is_known_of_the_original_stands_beside_ours_of_that_size_alone():
    ours = {"AR loop": 13.0, "AR loop, int8": 6.5, "NAR stage, fp32": 14.2, "NAR stage, int8": 7.1}
    assert [round(row.ratio, 2) for row in _beside_original("full", ours)] == [20.0, 40.0, 1.0, 2.0]
    assert all("elsewhere" in row.against for row in _beside_original("full", ours))
    assert _beside_original("embedded", ours) == []
    assert set(ORIGINALS) == {"full", "quarter"}


def test_a_slower_machine_by_the_baseline_is_slower_for_the_original_too():
    ours = {"AR loop": 13.0, "AR loop, int8": 6.5, "NAR stage, fp32": 14.2, "NAR stage, int8": 7.1}
    rows = _beside_original("full", ours | {YARDSTICK: 2 * ORIGINALS["full"].yardstick})
    by_it = [row for row in rows if "baseline" in row.against]
    assert [(row.seconds, round(row.ratio, 2)) for row in by_it] == [(520.0, 40.0), (520.0, 80.0)]


def test_without_transformers_the_rest_is_measured(registry, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    told = compare("tiny", registry, device=torch.device("cpu"), repeats=1, copied_bytes=1 << 20)
    assert YARDSTICK not in [row.name for row in told.rows]
    assert "pip install" in told.missing[0]


def test_reduced_weights_leave_the_model_that_they_are_of(registry):
    setting = Setting.of(SHAPES["tiny"], registry, torch.device("cpu"))
    before = {name: tensor.clone() for name, tensor in setting.model.state_dict().items()}
    setting.reduced("int8").refine()
    setting.write(2)
    assert all(t.equal(before[name]) for name, t in setting.model.state_dict().items())


@pytest.fixture
def bench(registry):
    def run(*words):
        return CliRunner().invoke(cli, ["bench", *words], obj=App(registry=registry))

    threads = torch.get_num_threads()
    yield run
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_the_command_prints_a_table_or_json(bench):
    words = ["--compare", "--size", "tiny", "--repeats", "1"]
    table, plain = bench(*words), bench(*words, "--json")
    assert "AR step, int8" in table.stdout
    assert "of reading its weights once" in table.stdout
    assert json.loads(plain.stdout)["machine"]["threads"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--size", "tiny"], "--size can only be used with --data or --compare"),
        (["--compare", "--embedded"], "--compare can only be used with --size"),
    ],
)
def test_options_that_do_not_go_together_are_refused(bench, words, told):
    result = bench(*words)
    assert result.exit_code == 2
    assert told in result.stderr
