"""A plugin whose component cannot be built is named, and changes nothing for others."""

import pytest
import torch
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.errors import PluginError, TextError
from vall_e.plugin_build import PluginBuild


def exits(config):
    raise SystemExit(0)


def fails(config):
    return 1 / 0


def gives_none(config):
    return None


def refuses(config):
    raise TextError("no such language")


def changes_torch(config):
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    return "built"


def changes_torch_and_fails(config):
    torch.set_default_dtype(torch.float64)
    raise ValueError("no")


def built(build):
    return PluginBuild(build, "lucky", "vall-e-lucky 1.0")(None)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (exits, "tried to end the program: SystemExit: 0"),
        (fails, "failed: ZeroDivisionError: division by zero"),
        (gives_none, "gave None"),
    ],
)
def test_a_build_that_fails_names_component_and_plugin(build, says):
    with pytest.raises(PluginError, match=r"'lucky' of the plugin vall-e-lucky 1\.0 ") as caught:
        built(build)
    assert caught.value.message.endswith(says)


def test_an_error_of_ours_stays_as_it_is():
    with pytest.raises(TextError, match="no such language"):
        built(refuses)


@pytest.mark.parametrize("build", [changes_torch, changes_torch_and_fails])
def test_what_a_build_changes_in_torch_is_set_back_and_reported(build, caplog):
    try:
        built(build)
    except PluginError:
        assert build is changes_torch_and_fails
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert (
        "building 'lucky' of the plugin vall-e-lucky 1.0 changed the default dtype" in caplog.text
    )


SAMPLER = """
from attrs import frozen
from vall_e.plugin import Component, hookimpl

@frozen
class Config:
    pass

def build(config):
    raise SystemExit(0)

@hookimpl
def vall_e_register_samplers():
    return [Component("lucky", Config, build, "")]
"""


def test_synth_ends_with_exit_code_4_and_without_a_file(site, registry, tmp_path):
    """A plugin that exits with 0 made `synth` succeed without any output."""
    site.install("vall-e-lucky", SAMPLER)
    found = site.discover()
    both = type(registry)([*registry.offers, *found.offers])
    out = tmp_path / "out.wav"
    words = ["synth", "Hello.", "--set", "sampling.ar=[lucky]", "-o", str(out)]
    result = CliRunner().invoke(cli, words, obj=App(registry=both))
    assert result.exit_code == 4, result.output
    assert "building 'lucky' of the plugin vall-e-lucky 1.0 tried to end" in result.output
    assert not out.exists()
