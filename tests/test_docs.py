"""The documentation says what the code does."""

import ast
import re
from importlib import metadata
from pathlib import Path

import attrs
import pytest

import vall_e.testing
from vall_e import hookspecs, plugin
from vall_e.registry import HOOKS, Component

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "plugins.md").read_text()
SOURCE = ast.parse(Path(hookspecs.__file__).read_text())
SPECS = [
    node
    for node in SOURCE.body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("vall_e_register_")
]
BLOCKS = re.findall(r"```\w+\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)


def flat(text):
    return " ".join(text.split())


def test_every_hook_belongs_to_a_kind():
    assert sorted(spec.name for spec in SPECS) == sorted(HOOKS.values())


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_hook_is_documented_with_its_exact_signature(spec):
    returns = ast.unparse(spec.returns)
    signature = f"def {spec.name}({ast.unparse(spec.args)}) -> {returns}\n"
    assert signature in PAGE
    assert flat(ast.get_docstring(spec)) in flat(PAGE)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_hook_has_a_contract_that_exists(spec):
    [name] = re.findall(r"Contract:\s`vall_e\.testing\.(\w+)`", ast.get_docstring(spec))
    assert name in vall_e.testing.__all__
    assert hasattr(vall_e.testing, name)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_hook_names_only_what_a_plugin_can_import(spec):
    for name in re.findall(r"`vall_e\.plugin\.(\w+)`", ast.get_docstring(spec)):
        assert name in plugin.__all__


def test_every_field_of_a_component_is_documented():
    told = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert told == [field.name for field in attrs.fields(Component)]


@pytest.mark.parametrize(("path", "block"), BLOCKS, ids=[path for path, _ in BLOCKS])
def test_the_example_is_the_plugin_to_copy(path, block):
    assert block in (ROOT / path).read_text()


def test_the_page_shows_the_hook_api_of_today():
    assert f"today `{hookspecs.HOOK_API}`" in PAGE


@pytest.mark.parametrize("point", metadata.entry_points(group="vall_e"), ids=str)
def test_every_plugin_of_ours_says_which_hook_api_it_needs(point):
    """An older minor will do: a plugin that needs nothing new can go on serving older hosts."""
    major, minor = point.load().vall_e_hook_api
    assert major == hookspecs.HOOK_API[0]
    assert minor <= hookspecs.HOOK_API[1]


def test_decisions_are_numbered_and_short():
    paths = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in paths] == list(range(1, len(paths) + 1))
    for path in paths:
        assert path.read_text().startswith("# ")
        assert len(path.read_text().splitlines()) <= 40, path.name
