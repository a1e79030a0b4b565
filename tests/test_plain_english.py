"""Texts for users use the usual words of the field: no sentence of a dialect comes back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import click
import pytest

import vall_e
from vall_e.cli.app import App, cli
from vall_e.config.option_docs import documents
from vall_e.config.schema import RunConfig
from vall_e.discovery import discover

ROOT = Path(vall_e.__file__).parents[1]
PACKAGES = (
    *("vall_e", "vall_e_backbones", "vall_e_codecs", "vall_e_judges", "vall_e_samplers"),
    "plugins",
)
PHRASES = (
    *("told", "tells of", "tell of", "tell all", "anew", "the while", "whom"),
    *("is no name", "is no JSON", "is no weight", "is no requirement", "(?<!there )is no dataset"),
    *("are no numbers", "of no use", "makes no use", "so many (frames|seconds|levels|samples|of)"),
    *("goes on", "go on from", "as one likes", "what it is at", "stands on the command line"),
    *("beside the work", "sets nothing", "tongue", "wishes", "of no say", "is there already"),
    *("in somebody's voice", "heard by", "that are heard", "wants to run", "holds nothing"),
    *("write it flatter", "which counts"),
    *("is something else than", "who may (read|write)", "fetch nothing"),
)
"""Regular expressions, each for whole words."""
PRINTING = ("warning", "info", "echo")
BAD = re.compile("|".join(rf"\b{phrase}\b" for phrase in PHRASES), re.IGNORECASE)


def docstrings(tree: ast.Module) -> Iterator[str]:
    yield ast.get_docstring(tree) or ""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""


def texts(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def messages(tree: ast.Module) -> Iterator[str]:
    """What is raised, every hint, and what is logged or printed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            yield from texts(node.exc)
        elif isinstance(node, ast.keyword) and node.arg in ("hint", "help", "summary"):
            yield from texts(node.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in PRINTING:
            yield from texts(node)


def commands(command: click.Command, path: str, ctx: click.Context) -> Iterator[tuple[str, str]]:
    yield path, command.help or ""
    for parameter in command.params:
        yield f"{path} {parameter.name}", getattr(parameter, "help", None) or ""
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from commands(found, f"{path} {name}", ctx)


def sections(cls: type) -> Iterator[type]:
    yield cls
    for field in attrs.fields(cls):
        if isinstance(field.type, type) and attrs.has(field.type):
            yield from sections(field.type)


def offenders(found: Iterator[tuple[str, str]]) -> list[str]:
    return [
        f"{where}: {hit[0]!r} in {text!r}" for where, text in found if (hit := BAD.search(text))
    ]


def test_source_says_it_in_plain_english():
    def found() -> Iterator[tuple[str, str]]:
        for package in PACKAGES:
            for path in sorted((ROOT / package).rglob("*.py")):
                if "tests" not in path.parts:
                    tree = ast.parse(path.read_text())
                    for text in (*docstrings(tree), *messages(tree)):
                        yield str(path.relative_to(ROOT)), " ".join(text.split())

    assert offenders(found()) == []


def test_the_help_of_every_command_is_plain_english():
    ctx = click.Context(cli, obj=App(load_plugins=False))
    assert offenders(commands(cli, "vall-e", ctx)) == []


def test_the_options_of_a_run_and_of_components_are_plain_english():
    def found() -> Iterator[tuple[str, str]]:
        registry = discover(load_plugins=False)
        components = (offer.component.config for offer in registry.offers)
        for cls in {*sections(RunConfig), *components}:
            for key, text in documents(cls).items():
                yield f"{cls.__name__}.{key}", text

    assert offenders(found()) == []


@pytest.mark.parametrize("text", ["It is told.", "x is no weight", "The run goes on"])
def test_a_phrase_of_the_dialect_is_found(text):
    assert BAD.search(text)
