"""YAML text to and from nodes, with YAML 1.2 rules where PyYAML follows YAML 1.1.

PyYAML reads `3e-4` as text, `no` as false, `12:30` as 750, `010` as 8 and `2026-01-01` as a date;
here, `3e-4` and `010` (ten) are numbers, the others are text. A repeated key is an error, and
does not overwrite the first one. Only plain data can come out, whatever tags are used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from attrs import define, field

from vall_e.config.errors import Mistake
from vall_e.config.value_origin import Node, Scalar, ValueOrigin
from vall_e.errors import ConfigError

__all__ = ["read", "write"]

MAX_NODES = 20_000
"""Limit on the number of values: a few nested aliases can expand to millions."""
MAX_CHARACTERS = 500_000
MAX_TOKENS = 100_000
"""PyYAML reads some 20,000 a second: larger files would seem to hang."""
MAX_DEPTH = 50
"""Lists and mappings inside one another; PyYAML takes long for thousands."""
MAX_DIGITS = 100
"""Of a number; Python's own limits are far above what any option can mean."""

NULL, BOOL, INT, FLOAT, STR = (
    f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str")
)
SEQUENCE, MAPPING = "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"
CORE_SCHEMA = (  # https://yaml.org/spec/1.2.2/#103-core-schema
    (NULL, r"null|Null|NULL|~|", "nN~\0"),
    (BOOL, r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (INT, r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        FLOAT,
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
)


QUOTES = "put text with special characters in quotes"
HINTS = (
    ("'\\t'", "indent with spaces, not with tabs"),
    ("parsing a flow sequence", "close the [bracket]; put text with brackets in quotes"),
    ("parsing a flow node", "close the [bracket] or {brace}, or put the text in quotes"),
    ("parsing a flow mapping", "close the {brace}; put text with braces in quotes"),
    ("undefined alias", "put text that begins with * in quotes"),
    ("but found another document", "one file describes one run: remove the line `---`"),
    ("scanning a quoted scalar", "close the quote; write a ' within '...' twice"),
    ("could not find expected ':'", "write `key: value`, with a colon and a space"),
    ("parsing a block mapping", "start the options of a section in the same column"),
    ("parsing a block collection", "put the dashes of a list in the same column"),
    ("unacceptable character", "save the file as plain UTF-8 text, without control characters"),
)
"""How to fix an error of PyYAML, by a part of its message."""


def _by_first_letter() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    table: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for tag, pattern, letters in CORE_SCHEMA:
        for letter in letters:
            table.setdefault("" if letter == "\0" else letter, []).append(
                (tag, re.compile(f"(?:{pattern})\\Z"))
            )
    return table


def _of_both_versions() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    old, new = yaml.SafeDumper.yaml_implicit_resolvers, _by_first_letter()
    return {letter: [*old.get(letter, []), *new.get(letter, [])] for letter in {*old, *new}}


class _TooLargeError(Exception):
    """Text that would take PyYAML long: where, what and a hint."""

    def __init__(self, line: int, said: str, hint: str) -> None:
        super().__init__(said)
        self.line, self.said, self.hint = line, said, hint


class _Loader(yaml.SafeLoader):
    """Stops at text that is too large while it reads it, since all of it would take long."""

    yaml_implicit_resolvers = _by_first_letter()

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._tokens = self._depth = 0

    def get_token(self) -> yaml.Token:
        token: yaml.Token = super().get_token()  # type: ignore[no-untyped-call]
        self._tokens += 1
        self._depth += isinstance(token, _STARTS) - isinstance(token, _ENDS)
        line = token.start_mark.line + 1
        if self._depth > MAX_DEPTH:
            said = f"lists and mappings are nested more than {MAX_DEPTH} deep"
            raise _TooLargeError(line, said, "use fewer nested brackets")
        if self._tokens > MAX_TOKENS:
            said = f"more than {MAX_TOKENS} words and signs"
            raise _TooLargeError(line, said, "keep lists of data in files of their own")
        return token


_STARTS = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_ENDS = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.1 *or* 1.2 would read as another type."""

    yaml_implicit_resolvers = _of_both_versions()


def read(text: str, origin_at: Callable[[int], ValueOrigin]) -> tuple[Node, list[Mistake]]:
    """The nodes of one YAML document, and the mistakes in it.

    `origin_at` returns the origin of a line. Text that is not YAML raises a `ConfigError`.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(
            f"{origin_at(0)}: {len(text)} characters, at most {MAX_CHARACTERS} are read",
            hint="a config is a few pages: keep lists of data in files of their own",
        )
    try:
        top = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as exc:
        raise _not_yaml(exc, origin_at) from exc
    except _TooLargeError as exc:
        raise ConfigError(f"{origin_at(exc.line)}: {exc.said}", hint=exc.hint) from exc
    if top is None:
        return Node(None, origin_at(1)), []
    reader = _Reader(origin_at)
    return reader.node(top), reader.mistakes


def write(value: Any) -> str:
    """Plain data as one line of YAML, which can be read back."""
    if isinstance(value, Mapping):
        parts = ", ".join(f"{write(str(key))}: {write(part)}" for key, part in value.items())
        return f"{{{parts}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(write, value))}]"
    # PyYAML folds long or unusual text over several lines, unless it is in double quotes.
    style = None if value is None or str(value).isprintable() else '"'
    text: str = yaml.dump(
        [value],  # within brackets, where a comma must be quoted
        Dumper=_Dumper,
        default_flow_style=True,
        default_style=style,
        allow_unicode=True,
        width=2**31,
    )
    return text.strip()[1:-1]


def _not_yaml(exc: yaml.YAMLError, origin_at: Callable[[int], ValueOrigin]) -> ConfigError:
    if isinstance(exc, yaml.MarkedYAMLError):
        mark = exc.problem_mark or exc.context_mark
        said = ", ".join(part for part in (exc.context, exc.problem) if part)
        origin = origin_at(mark.line + 1 if mark else 0)
    else:  # a character that YAML does not allow
        said, origin = str(exc).splitlines()[0], origin_at(0)
    hint = next((hint for part, hint in HINTS if part in said), QUOTES)
    return ConfigError(f"{origin}: this is not YAML: {said}", hint=hint)


@define
class _Reader:
    """Turns PyYAML's nodes into ours, which form a tree: an alias is a copy."""

    origin_at: Callable[[int], ValueOrigin]
    mistakes: list[Mistake] = field(factory=list)
    count: int = 0

    def node(self, node: yaml.Node, line: int | None = None, above: tuple[int, ...] = ()) -> Node:
        """`line` is the line of the key, if any; `above` are the nodes that contain this one."""
        origin = self.origin_at(line or node.start_mark.line + 1)
        self.count += 1
        if self.count > MAX_NODES:
            raise ConfigError(f"{origin}: more than {MAX_NODES} values", hint="use fewer aliases")
        if id(node) in above:
            raise ConfigError(
                f"{origin}: an alias inside its own value", hint="write the value out"
            )
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == MAPPING:
            return Node(self._mapping(node, above), origin)
        if isinstance(node, yaml.SequenceNode) and node.tag == SEQUENCE:
            return Node([self.node(part, above=above) for part in node.value], origin)
        if isinstance(node, yaml.ScalarNode) and node.tag in (NULL, BOOL, INT, FLOAT, STR):
            return Node(self._scalar(node, origin), origin)
        self.mistakes.append(
            Mistake(f"the tag {_short(node.tag)} is not allowed; remove it", origin=origin)
        )
        return Node(None, origin)

    def _mapping(self, node: yaml.MappingNode, above: tuple[int, ...]) -> dict[str, Node]:
        parts: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                origin = self.origin_at(line)
                self.mistakes.append(Mistake("a key must be text", origin=origin))
                continue
            key = key_node.value
            if key in parts:
                self.mistakes.append(
                    Mistake(
                        f"{key!r} is given twice, first on line {lines[key]}",
                        origin=self.origin_at(line),
                    )
                )
                continue
            lines[key] = line
            parts[key] = self.node(value_node, line, above)
        return parts

    def _scalar(self, node: yaml.ScalarNode, origin: ValueOrigin) -> Scalar:
        text: str = node.value
        if node.tag in (INT, FLOAT) and len(text) > MAX_DIGITS:
            message = f"{text[:20]}... has {len(text)} digits, at most {MAX_DIGITS} are read"
            self.mistakes.append(Mistake(message, origin=origin))
            return None
        try:
            if node.tag == NULL:
                return None
            if node.tag == BOOL:
                return {"true": True, "false": False}[text.lower()]
            if node.tag == INT:
                return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
            if node.tag == FLOAT:
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except (KeyError, ValueError):
            message = f"{text[:40]!r} cannot be read as {_short(node.tag)}"
            self.mistakes.append(Mistake(message, origin=origin))
        return text


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
