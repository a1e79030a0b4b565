"""The laws of every component, of commands and of pretrained models refuse what breaks them."""

import importlib
from itertools import count
from types import ModuleType

import click
import pytest
from attrs import frozen

from vall_e.registry import Component
from vall_e.testing import (
    CommandContract,
    ModelContract,
    StaircaseCodec,
    contract_of,
    contract_tests,
)
from vall_e.testing.contracts.run import try_law
from vall_e.testing.fakes.tiny_model import tiny_bundle


@frozen
class Options:
    size: int = 3


@frozen
class Unsayable:
    """YAML has no complex numbers."""

    phase: complex = 1j


@frozen
class Anything:
    no_such_option: int = 3


def local():
    @frozen
    class Hidden:
        size: int = 1

    return Hidden


def build(config):
    return lambda history, logits: logits


def component(config=Options, build=build, summary="a test", **more):
    return Component("quiet", config, build, summary, **more)


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (component(summary="two\nlines"), "test_its_summary_is_one_line"),
        (component(code_license=" "), "test_states_the_licence_of_its_code"),
        (component(Unsayable), "test_its_options_survive_a_yaml_file"),
        (component(Anything), "test_an_unknown_option_is_refused"),
        (component(local()), "test_its_options_can_be_sent_to_another_process"),
        (component(build=lambda config: None), "test_it_can_be_sent_to_another_process"),
    ],
)
def test_a_broken_component_is_refused(broken, refused_by):
    assert try_law(contract_of("sampler", broken), refused_by).status == "fails"
    assert try_law(contract_of("sampler", component()), refused_by).status == "holds"


def test_one_that_imports_torch_when_it_is_found_is_refused(site):
    (site.folder / "torch").mkdir()
    (site.folder / "torch" / "__init__.py").touch()  # the real one takes seconds
    site.install("heavy", "import torch\nfrom attrs import frozen\n\n@frozen\nclass Options: ...\n")
    heavy = component(importlib.import_module("heavy_demo").Options)
    finding = try_law(contract_of("sampler", heavy), "test_discovery_does_not_import_torch")
    assert (finding.status, "imports torch" in finding.reason) == ("fails", True)


@click.command()
def hum():
    """Hum a tune."""


@click.command()
def unexplained():
    pass


@click.command(add_help_option=False)
def helpless():
    """Hum a tune."""
    raise click.ClickException("no tune")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1)
def lenient(words):
    """Hum words."""


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (unexplained, "test_is_a_command_with_help"),
        (helpless, "test_shows_its_help"),
        (lenient, "test_refuses_an_unknown_option"),
    ],
)
def test_a_broken_command_is_refused(judge, broken, refused_by):
    assert refused_by in judge(CommandContract, lambda: broken, only=refused_by).failed
    assert refused_by in judge(CommandContract, lambda: hum, only=refused_by).passed


def test_a_broken_model_is_refused(judge, registry, tmp_path):
    whole, other = tmp_path / "whole.safetensors", tmp_path / "other.safetensors"
    tiny_bundle(registry, StaircaseCodec()).save(whole)
    other.write_bytes(whole.read_bytes()[:1000])
    numbers = count()
    assert not judge(ModelContract, lambda: whole).failed
    for make, refused_by in (
        (lambda: tmp_path / "absent.safetensors", "test_is_a_file_on_this_machine"),
        (lambda: other, "test_contains_all_that_synthesis_needs"),
        (lambda: tmp_path / str(next(numbers)), "test_building_again_gives_the_same_file"),
    ):
        assert refused_by in judge(ModelContract, make, only=refused_by).failed


def test_each_component_of_a_plugin_gets_a_class_of_tests():
    plugin = ModuleType("plugin")
    plugin.vall_e_register_samplers = lambda: [component()]
    plugin.vall_e_register_schedules = lambda: [component()]
    found = contract_tests(plugin)
    assert sorted(found) == ["TestSamplerQuiet", "TestScheduleQuiet"]
    assert found["TestSamplerQuiet"].component.name == "quiet"
