"""A configuration as a YAML file: every value, with its meaning or its origin."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import attrs

from vall_e.config.choices import Choice
from vall_e.config.option_docs import documents, limits, summary
from vall_e.config.options import Option, entry_type, is_choice, members, options_of
from vall_e.config.schema import RunConfig
from vall_e.config.structure import unstructure
from vall_e.config.value_origin import Where
from vall_e.config.yaml_document import write
from vall_e.registry import Registry

__all__ = ["flat", "starter", "with_origins"]

WIDTH = 88
HEAD = """\
# A run of vall-e. Every option is listed with its meaning and default; delete what you do not
# change. Relative paths start at the folder of this file.
#
#     vall-e config validate FILE     check it for mistakes
#     vall-e train FILE               train a model
"""


def starter(config: RunConfig, registry: Registry) -> str:
    """A file for users to edit: each option below its documentation."""
    notes = {where: text for where, text in _notes(config, (), registry) if text}

    def above(where: Where) -> list[str]:
        return textwrap.wrap(notes.get(where, ""), WIDTH, break_on_hyphens=False)

    return HEAD + "\n".join(_mapping(unstructure(config), (), 0, above, lambda _: "")) + "\n"


def with_origins(config: RunConfig, origin: Callable[[Where], object]) -> str:
    """The configuration as YAML, with the origin of each value as a comment on its line."""
    lines = _mapping(unstructure(config), (), 0, lambda _: [], lambda where: str(origin(where)))
    return "\n".join(line for line in lines if line) + "\n"


def flat(raw: Any, where: Where = ()) -> Iterator[tuple[Where, Any]]:
    """Every value of plain data with its place; a list without mappings counts as one value."""
    if isinstance(raw, Mapping) and raw:
        for key, part in raw.items():
            yield from flat(part, (*where, key))
    elif isinstance(raw, list) and any(isinstance(part, Mapping) for part in raw):
        for index, part in enumerate(raw):
            yield from flat(part, (*where, str(index)))
    else:
        yield where, raw


def _mapping(
    raw: Mapping[str, Any],
    where: Where,
    depth: int,
    above: Callable[[Where], list[str]],
    beside: Callable[[Where], str],
) -> Iterator[str]:
    indent = "  " * depth
    for key, value in raw.items():
        here = (*where, key)
        if not depth:
            yield ""
        yield from (f"{indent}# {line}" for line in above(here))
        name = f"{indent}{write(key)}:"
        if isinstance(value, Mapping) and value:
            yield name
            yield from _mapping(value, here, depth + 1, above, beside)
        elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
            yield name
            for index, part in enumerate(value):
                place = (*here, str(index))
                yield from _entry(list(_mapping(part, place, depth + 2, above, beside)), depth)
        else:
            comment = beside(here)
            yield f"{name} {write(value)}" + (f"  # {comment}" if comment else "")


def _entry(lines: list[str], depth: int) -> Iterator[str]:
    """Put the dash of a list entry before its first line; comments stay above it."""
    dash = "  " * (depth + 1) + "- "
    first = next(i for i, line in enumerate(lines) if not line.lstrip().startswith("#"))
    for index, line in enumerate(lines):
        yield dash + line[len(dash) :] if index == first else line


def _notes(value: Any, where: Where, registry: Registry) -> Iterator[tuple[Where, str]]:
    """The documentation of everything below `value`, by place."""
    if isinstance(value, Choice):
        value = value.options
    meanings = documents(type(value))
    for key, option in options_of(type(value)).items():
        here = (*where, key)
        part = getattr(value, option.attribute.name)
        section = attrs.has(type(part)) and not isinstance(part, Choice)
        meaning = meanings.get(option.attribute.name, "") or (summary(type(part)) * section)
        yield here, " ".join(filter(None, (meaning, _allowed(option, registry))))
        if attrs.has(type(part)):
            yield from _notes(part, here, registry)
        elif isinstance(part, tuple):
            for index, entry in enumerate(part):
                if attrs.has(type(entry)):
                    yield from _notes(entry, (*here, str(index)), registry)


def _allowed(option: Option, registry: Registry) -> str:
    """The allowed values, if a short list can describe them."""
    kind = option.type
    for member in (entry_type(kind), *members(kind)):
        if is_choice(member):
            return "Installed: " + ", ".join(registry.names(member.kind)) + "."
        if get_origin(member) is Literal:
            return "One of: " + ", ".join(map(str, get_args(member))) + "."
    found = limits(option.attribute, of_list=False, of_text=False)
    words = {
        "exclusiveMinimum": "more than",
        "minimum": "at least",
        "exclusiveMaximum": "less than",
        "maximum": "at most",
    }
    text = ", ".join(f"{word} {found[key]}" for key, word in words.items() if key in found)
    return f"{text[0].upper()}{text[1:]}." if text else ""
