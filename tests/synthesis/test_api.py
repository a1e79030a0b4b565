import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vall_e
from vall_e.embedded.components import built_in
from vall_e.errors import CheckpointError, ConfigError, UnknownComponentError
from vall_e.synthesis.load import LoadOptions, open_synthesizer


def test_the_public_names_are_these():
    assert vall_e.__all__ == [
        "Adaptation",
        "Chunk",
        "Clip",
        "Codec",
        "Codes",
        "Request",
        "Result",
        "Synthesizer",
        "TrainedRun",
        "VallEError",
        "Voice",
        "__version__",
        "adapt",
        "load",
        "train",
    ]
    assert {name: getattr(vall_e, name) for name in vall_e.__all__}
    assert set(vall_e.__all__) <= set(dir(vall_e))
    assert vall_e.__version__[0].isdigit()


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        vall_e.lod  # noqa: B018


def test_importing_the_package_imports_no_torch():
    code = "import sys, vall_e; assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_weights_file_speaks_as_the_model_in_memory_does(weights, registry, tiny):
    opened = open_synthesizer(LoadOptions(model=weights, device="cpu"), registry)
    result = opened.synthesize("hello", seed=1)
    assert np.array_equal(result.audio, tiny.synthesize("hello", seed=1).audio)
    assert result.provenance["model"]["file"] == "tiny.safetensors"
    assert len(result.provenance["model"]["sha256"]) == 64
    assert opened.languages == ("en-us",)


def test_load_finds_plugins_and_weights(site, weights, tmp_path):
    site.install("staircase", "from vall_e.testing.fakes.components import *")
    synthesizer = vall_e.load(weights, home=tmp_path, device="cpu")
    assert len(synthesizer.synthesize("hello", seed=1).audio)


def test_a_training_folder_means_its_latest_checkpoint(weights, registry, tmp_path):
    checkpoint = tmp_path / "run" / "step-000005"
    checkpoint.mkdir(parents=True)
    shutil.copy(weights, checkpoint / "weights.safetensors")
    (tmp_path / "run" / "latest").write_text("step-000005\n")
    for folder in (tmp_path / "run", checkpoint):
        assert open_synthesizer(LoadOptions(model=folder), registry).languages == ("en-us",)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(
        """
model: {backbone: {name: llama, d_model: 32, layers: 2, heads: 2}}
codec: staircase
text: {phonemizer: none, languages: [de]}
sampling: {ar: [{name: top-k, k: 2}, categorical], nar: [greedy]}
synthesis: {max_seconds: 0.1, pause_seconds: 0.5}
training: {output: trained}
"""
    )
    return path


def test_a_config_alone_opens_what_it_trained(weights, registry, config):
    with pytest.raises(CheckpointError, match="has not been trained") as caught:
        open_synthesizer(LoadOptions(config=config), registry)
    assert "vall-e train" in caught.value.hint
    checkpoint = config.parent / "trained" / "step-000005"
    checkpoint.mkdir(parents=True)
    shutil.copy(weights, checkpoint / "weights.safetensors")
    (config.parent / "trained" / "latest").write_text("step-000005\n")
    assert (
        open_synthesizer(LoadOptions(config=config), registry).config.synthesis.pause_seconds == 0.5
    )


def test_options_come_from_weights_then_config_then_environment_then_overrides(
    weights, registry, config
):
    def options(**given):
        return open_synthesizer(LoadOptions(model=weights, **given), registry).config

    assert options().synthesis.max_seconds == 0.2
    assert options(config=config).synthesis.max_seconds == 0.1
    assert options(config=config).sampling.ar[0].options.k == 2
    assert options(config=config).text.languages == ("en-us",)  # fixed by the weights
    environ = {"VALL_E__SYNTHESIS__MAX_SECONDS": "0.3"}
    assert options(config=config, environ=environ).synthesis.max_seconds == 0.3
    overrides = ["synthesis.max_seconds=0.4", "sampling.ar.top-k.k=5"]
    changed = options(config=config, environ=environ, overrides=overrides)
    assert changed.synthesis.max_seconds == 0.4
    assert changed.sampling.ar[0].options.k == 5


@pytest.mark.parametrize(
    "key", ["model.dropout", "training.seed", "data.workers", "tasks", "text.languages"]
)
def test_what_the_weights_fix_cannot_be_set(weights, registry, key):
    with pytest.raises(ConfigError) as caught:
        open_synthesizer(LoadOptions(model=weights, overrides=[f"{key}=1"]), registry)
    assert caught.value.message.startswith(f"{key} is fixed by the weights")


def test_another_codec_than_the_models_is_refused(weights, registry):
    with pytest.raises(CheckpointError, match="the model writes codes of staircase:3x8"):
        open_synthesizer(LoadOptions(model=weights, overrides=["codec.levels=2"]), registry)


@pytest.mark.parametrize(
    ("model", "error", "says"),
    [
        ("nothing.safetensors", CheckpointError, "there is no weights file nothing.safetensors"),
        (Path("nothing"), CheckpointError, "there is no weights file nothing"),
        ("embeded", UnknownComponentError, "there is no model called 'embeded'"),
    ],
)
def test_a_model_that_is_not_there_is_an_error(registry, model, error, says):
    with pytest.raises(error) as caught:
        open_synthesizer(LoadOptions(model=model), registry)
    assert caught.value.message == says


def test_an_installation_without_weights_says_so(tmp_path):
    with pytest.raises(CheckpointError, match="missing from this installation") as caught:
        built_in(tmp_path)
    assert "-m" in caught.value.hint
