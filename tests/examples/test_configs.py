"""Every config of a model builds, and trains a step once it is small enough for a test."""

import re
import shlex
import shutil
from pathlib import Path

import click
import numpy as np
import pytest
import torch
import yaml
from attrs import evolve
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.config.load import load, structure
from vall_e.discovery import registry_of
from vall_e.registry import Registry
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.training.commands import Commands
from vall_e.training.loop import train
from vall_e.training.run import RunCallbacks
from vall_e.training.setup import open_run

SPEECH = Path(__file__).parents[1] / "speech"
CONFIGS = sorted((Path(__file__).parents[2] / "examples" / "configs").glob("*.yaml"))
STAIRCASE = {"name": "staircase", "codebook_size": 16, "sample_rate": 16_000}
"""`StaircaseCodec()`, as a YAML file names it."""
SMALL = {"d_model": 32, "layers": 2, "heads": 2, "d_ff": 128}
PARAMETERS = {"ar+nar-llama-8": 228e6, "ar+nar-quarter-llama-8": 19e6, "ar+nar-llama-x4-8": 682e6}
"""As the originals have them, or as the file says."""


@pytest.fixture(scope="module")
def staircase(registry):
    offers = [evolve(o, distribution="staircase") for o in registry_of([components]).offers]
    return Registry([*registry.offers, *offers])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of data for each number of levels."""
    folder = tmp_path_factory.mktemp("data")

    def made(levels):
        path = folder / str(levels)
        return path if path.exists() else write_dataset(path, StaircaseCodec(levels=levels))

    return made


def _commands(text):
    """The `vall-e` lines of the comment, without the name."""
    lines = text.replace("\\\n#     ", "")
    return re.findall(r"^#   vall-e (.+)$", lines, re.M)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder of two speakers' recordings and one of noise, as the comments name them."""
    folder = tmp_path_factory.mktemp("recordings")
    (folder / "recordings").mkdir()
    head, *rows = (SPEECH / "transcripts.tsv").read_text().splitlines()
    table = [head]
    for speaker in ("ann", "kathleen"):  # tasks that mix speech need several of each
        for row in rows:
            name = f"{speaker}-{row.partition('.')[0]}.flac"
            shutil.copy(SPEECH / row.partition("\t")[0], folder / "recordings" / name)
            table.append(f"{name}\t{row.split(chr(9))[1]}\t{speaker}\ten-us")
    (folder / "recordings" / "transcripts.tsv").write_text("\n".join(table))
    noise = np.random.default_rng(0).normal(0, 0.05, 32_000).astype(np.float32)
    (folder / "noise").mkdir()
    Clip(noise, 16_000).write(folder / "noise" / "hiss.wav")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_its_trial_runs_as_the_comment_says(path, recordings, registry, tmp_path, monkeypatch):
    shutil.copytree(recordings, tmp_path, dirs_exist_ok=True)
    shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    trial = _commands(path.read_text(encoding="utf-8").partition("# A trial of two steps")[2])
    assert [line.split()[0] for line in trial][-1] == "train"
    for line in trial:
        done = CliRunner().invoke(cli, shlex.split(line), obj=App(registry=registry))
        assert done.exit_code == 0, f"{line}\n{done.output}"
    assert list((tmp_path / "runs").glob("*/step-000002"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_its_head_names_commands_and_options_that_exist(path):
    shown = _commands(path.read_text(encoding="utf-8"))
    assert shown
    for line in shown:
        command, args = cli, shlex.split(line)
        while isinstance(command, click.Group):
            name, *args = args
            command = command.get_command(click.Context(command, obj=App()), name)
            assert command, line
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in args if word.startswith("-")} <= known


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_small_one_trains_a_step(staircase, data, tmp_path, path):
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    levels = raw["codec"]["levels"]
    raw["model"]["backbone"].update(SMALL)
    raw["codec"] = {**STAIRCASE, "levels": levels}
    raw["text"]["phonemizer"] = "none"
    raw["data"].update(
        train=[str(data(levels))], validation=[], batch_seconds=8, prompt_seconds=[0.3, 0.6],
        seconds=[0.1, 16.0], workers=0,
    )  # fmt: skip
    if "noise" in raw["data"]:
        raw["data"]["noise"] = [str(data(levels))]
    raw["training"].update(max_steps=1, precision="fp32")
    run = open_run(structure(raw, staircase), tmp_path, registry=staircase)
    before = {name: p.detach().clone() for name, p in run.bundle.model.named_parameters()}
    train(run, Commands(), RunCallbacks())
    after = dict(run.bundle.model.named_parameters())
    assert run.progress.step == 1
    assert any(not after[name].equal(tensor) for name, tensor in before.items())
    assert all(tensor.isfinite().all() for tensor in after.values())


@pytest.mark.parametrize(("name", "count"), PARAMETERS.items())
def test_a_model_has_the_size_of_the_original(registry, name, count):
    config = load(CONFIGS[0].with_name(f"{name}.yaml"), registry)
    with torch.device("meta"):
        backbone = config.model.backbone.build(attention=config.model.attention.build())
    width, levels = config.model.backbone.options.d_model, config.codec.options.levels
    tables = 2 * 1024 * levels + 256 + 1024 * levels
    ours = sum(p.numel() for p in backbone.parameters()) + tables * width
    assert ours == pytest.approx(count, rel=0.02)
