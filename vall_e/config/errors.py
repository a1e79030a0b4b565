"""Mistakes in a configuration, each with its place, reported together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from attrs import define, evolve, field, frozen

from vall_e.config.value_origin import Node, ValueOrigin, Where
from vall_e.errors import ConfigError, VallEError

__all__ = ["Gathered", "InvalidConfigError", "Mistake", "WrongValueError", "meant", "reason"]


@frozen
class Mistake:
    """A mistake in the option `where`. Without an origin, the tree supplies it."""

    message: str
    where: Where = ()
    origin: ValueOrigin | None = None

    def __str__(self) -> str:
        place = ".".join(self.where)
        return ": ".join(str(part) for part in (self.origin, place, self.message) if part)


class InvalidConfigError(ConfigError):
    """The mistakes of a configuration, listed in `mistakes`."""

    def __init__(self, mistakes: Sequence[Mistake], *, source: str) -> None:
        lines = [str(mistake) for mistake in mistakes]
        if len(lines) > 1:
            lines.insert(0, f"{source}: {len(lines)} mistakes")
        super().__init__(
            "\n  ".join(lines),
            hint="correct the file; `vall-e config show` prints every option with its value",
        )
        self.mistakes = tuple(mistakes)


class WrongValueError(Exception):
    """Mistakes in a value, with places relative to it; never leaves this package."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__(*(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


@define
class Gathered:
    """Collects the mistakes of a value's parts, so that one does not hide the next."""

    mistakes: list[Mistake] = field(factory=list)

    @contextmanager
    def under(self, key: str) -> Iterator[None]:
        """Record mistakes in the part called `key`, and continue."""
        try:
            yield
        except WrongValueError as exc:
            self.mistakes += [evolve(m, where=(key, *m.where)) for m in exc.mistakes]
        except VallEError as exc:
            self.mistakes.append(Mistake(reason(exc), (key,)))

    def check(self) -> None:
        if self.mistakes:
            raise WrongValueError(*self.mistakes)


def located(mistakes: Iterable[Mistake], tree: Node) -> list[Mistake]:
    """The mistakes with their origins: the deepest value on the path that was written somewhere."""
    found = [(m.origin or tree.nearest(m.where)[0].origin, m) for m in mistakes]
    found.sort(key=lambda pair: (pair[0].line is None, pair[0].line or 0))
    return [
        evolve(mistake, origin=origin)
        if mistake.origin or origin.line
        else evolve(mistake, origin=origin, where=_named(mistake.where, tree))
        for origin, mistake in found
    ]


def _named(where: Where, tree: Node) -> Where:
    """The place, with list entries named by their component, as in an override."""
    named = []
    for depth, key in enumerate(where):
        above, entry = tree.find(where[:depth]), tree.find(where[: depth + 1])
        name = entry.find(("name",)) if entry and above and isinstance(above.value, list) else None
        named.append(str(name.value) if name else key)
    return tuple(named)


def reason(exc: BaseException) -> str:
    """The message of an error, in one line."""
    if isinstance(exc, VallEError):
        return f"{exc.message}; {exc.hint}" if exc.hint else exc.message
    return str(exc.args[0]) if exc.args else type(exc).__name__


def meant(word: object, known: Iterable[str]) -> str:
    """A suggestion to add to a message if `word` looks like a misspelling of one of `known`."""
    near = get_close_matches(str(word), list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else ""
