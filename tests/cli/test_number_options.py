"""Every number option of every command refuses what is no usable number."""

import click
import pytest

from vall_e.cli.app import App, cli


def commands(command, ctx, path=()):
    yield path, command, ctx
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            below = click.Context(inner, parent=ctx, info_name=name, obj=ctx.obj)
            yield from commands(inner, below, (*path, name))


@pytest.fixture
def options(registry):
    """All options of all commands: where they are, and what they make of a text."""
    ctx = click.Context(cli, obj=App(registry=registry))
    return [
        (" ".join((*path, param.opts[0])), param, below)
        for path, command, below in commands(cli, ctx)
        for param in command.params
        if isinstance(param, click.Option)
    ]


def accepted(options, kind, text):
    found = []
    for place, param, ctx in options:
        if not kind(param):
            continue
        try:
            values = (text,) if param.multiple else text
            param.process_value(ctx, values)
        except click.BadParameter:
            continue
        found.append(place)
    return found


def is_number(param):
    return isinstance(param.type, (click.FloatRange, click.types.FloatParamType)) or (
        param.type.name in ("seconds", "float", "float range")
    )


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", "NaN"])
def test_numbers_are_finite(options, text):
    assert sum(is_number(param) for _, param, _ in options) >= 8
    assert accepted(options, is_number, text) == []


@pytest.mark.parametrize("text", ["-1", "1.5", "nan", "x"])
def test_seeds_are_whole_numbers_from_0_on(options, text):
    def is_seed(param):
        return param.name == "seed"

    assert sum(is_seed(param) for _, param, _ in options) >= 4
    assert accepted(options, is_seed, text) == []
