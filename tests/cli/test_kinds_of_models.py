"""What docs/models.md says, as a user does it."""

import json
import re
from pathlib import Path

import pytest
import yaml
from attrs import evolve
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.config.load import load, structure
from vall_e.discovery import registry_of
from vall_e.errors import CheckpointError
from vall_e.export.formats.ecker import EckerExporter
from vall_e.export.formats.hf import HuggingFaceExporter
from vall_e.registry import Registry
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.testing.fakes.tiny_model import tiny_bundle

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"examples/configs/(\S+\.yaml)", PAGE)
[TRIED] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line.split()[1] for line in PAGE.splitlines() if line.startswith("vall-e ")]
CODEC = {"name": "staircase", "levels": 3, "codebook_size": 16, "sample_rate": 16_000}
KINDS = {"pattern": {"capabilities": ["ar"], "pattern": "delay"}, "group_size": {"group_size": 2}}


@pytest.fixture(scope="module")
def staircase(registry):
    """As it is where a distribution `staircase` is installed."""
    offers = [evolve(o, distribution="staircase") for o in registry_of([components]).offers]
    return Registry([*registry.offers, *offers])


@pytest.fixture
def vall_e(staircase):
    def run(*args):
        arguments = [str(arg) for arg in args]
        result = CliRunner().invoke(cli, arguments, obj=App(registry=staircase))
        assert result.exit_code == 0, result.stderr
        return result

    return run


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_the_kinds_that_they_are_named_for(registry, name):
    model = load(ROOT / "examples" / "configs" / name, registry).model
    assert name.split("-")[0] == "+".join(model.capabilities)
    assert (model.pattern != "none") == (model.pattern in name)
    assert (model.group_size > 1) == ("grouped" in name)


def test_the_small_one_is_a_config(registry):
    assert structure(yaml.safe_load(TRIED), registry, source="docs").model.pattern == "delay"
    assert COMMANDS == ["synth", "train", "synth"]


def _config(folder, name, model):
    config = {
        "model": {"backbone": {"name": "llama", "d_model": 16, "layers": 1, "heads": 2}},
        "codec": CODEC,
        "text": {"phonemizer": "none"},
        "data": {"train": ["data"], "validation": ["data"], "prompt_seconds": [0.3, 0.6]},
        "training": {"output": name, "max_steps": 2},
        "synthesis": {"max_seconds": 0.2, "chunk_seconds": 0.1, "window_seconds": 0.1},
    }
    config["model"] |= model
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_trained_evaluated_and_spoken_with(vall_e, tmp_path, kind):
    write_dataset(tmp_path / "data", StaircaseCodec(levels=3), utterances=6)
    told = vall_e("train", _config(tmp_path, "run", KINDS[kind])).stderr
    assert "validation after step 2: ar " in told
    spoken = []
    for way in ([], ["--stream"]):
        sound = tmp_path / f"{len(spoken)}.wav"
        vall_e("synth", "one two", "-m", tmp_path / "run", "--seed", 1, "-o", sound, *way)
        spoken.append(sound.read_bytes()[-3200:])  # 0.1 s: headers differ
    assert spoken[0] == spoken[1]
    assert "training" in vall_e("bench", "-m", tmp_path / "run", "--repeats", 1).stdout


@pytest.mark.slow
def test_two_models_of_half_the_levels_each_are_trained_and_speak_together(vall_e, tmp_path):
    write_dataset(tmp_path / "data", StaircaseCodec(levels=3), utterances=6)
    for stage in ("ar", "nar"):
        told = vall_e("train", _config(tmp_path, stage, {"capabilities": [stage]})).stderr
        assert f"validation after step 2: {stage} " in told
    files = ["-m", tmp_path / "ar", "--nar", tmp_path / "nar"]
    said = vall_e("synth", "one two", *files, "-o", tmp_path / "out.wav", "--json").stdout
    assert set(json.loads(said)["provenance"]) >= {"model", "nar"}
    assert "training" in vall_e("bench", *files, "--repeats", 1).stdout


@pytest.mark.parametrize("export", [HuggingFaceExporter(), EckerExporter()], ids=["hf", "sft"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_other_layout_can_hold_them(registry, tmp_path, kind, export):
    model = {"backbone": {"name": "llama", "d_model": 16, "layers": 1, "heads": 2}, **KINDS[kind]}
    bundle = tiny_bundle(registry, StaircaseCodec(), model=model)
    with pytest.raises(CheckpointError, match=kind):
        export(bundle, tmp_path / "out")
    assert not (tmp_path / "out").exists()
