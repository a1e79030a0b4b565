import json

import numpy as np
import pytest
from click.testing import CliRunner

from vall_e.benchmarks.data_loader import invent, measure
from vall_e.cli.app import App, cli
from vall_e.data.dataset.folder import Dataset
from vall_e.testing.fakes.tiny_model import tiny_config


@pytest.fixture(scope="module")
def report(registry, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    small = {"batch_seconds": 12.0}
    config = tiny_config(registry, data=small)
    return measure(config, registry, folder, seconds=0.1, steps=1, utterances=120)


def test_what_is_fed_is_set_beside_what_is_learnt(report):
    assert report.utterances == 120
    assert report.ratio == report.tokens_per_second / report.trained_tokens_per_second
    assert report.tokens_per_second > report.samples_per_second > 1
    assert 1 < report.audio_per_second / report.samples_per_second < 10, "seconds of a sentence"
    assert 0 < report.padding < 0.1
    assert report.to_json()["ratio"] == report.ratio


def test_invented_sentences_are_as_long_as_real_ones(registry, tmp_path):
    entries = Dataset(invent(tmp_path / "data", tiny_config(registry), registry, 300)).entries
    seconds = np.array([entry.seconds for entry in entries])
    assert 3.5 < np.median(seconds) < 4.5
    assert 1.8 < np.quantile(seconds, 0.9) / np.median(seconds) < 2.2


@pytest.mark.parametrize("words", [["--compare"], ["-m", "embedded"], ["--backbones"]])
def test_what_does_not_go_with_it_is_refused(registry, words):
    done = CliRunner().invoke(cli, ["bench", "--data", *words], obj=App(registry=registry))
    assert done.exit_code == 2
    assert "--data can only be used with" in done.output


@pytest.mark.slow
def test_the_command_says_it(registry):
    done = CliRunner().invoke(
        cli,
        ["bench", "--data", "--size", "tiny", "--repeats", "1", "--json"],
        obj=App(registry=registry),
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["ratio"] > 1
