"""What is wrong with a configuration: every mistake with its place, told together."""

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
    """One thing that is wrong, at the option `where`. Without an origin, the tree will tell it."""

    message: str
    where: Where = ()
    origin: ValueOrigin | None = None

    def __str__(self) -> str:
        place = ".".join(self.where)
        return ": ".join(str(part) for part in (self.origin, place, self.message) if part)


class InvalidConfigError(ConfigError):
    """The mistakes of a configuration, in `mistakes` one by one."""

    def __init__(self, mistakes: Sequence[Mistake], *, source: str) -> None:
        lines = [str(mistake) for mistake in mistakes]
        if len(lines) > 1:
            lines.insert(0, f"{source}: {len(lines)} mistakes")
        super().__init__(
            "\n  ".join(lines),
            hint="correct it there; `vall-e config show` prints every option with its value",
        )
        self.mistakes = tuple(mistakes)


class WrongValueError(Exception):
    """Mistakes found in a value, their places counted from it; never leaves this package."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__(*(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


@define
class Gathered:
    """Collects the mistakes of a value's parts, so that one does not hide the next."""

    mistakes: list[Mistake] = field(factory=list)

    @contextmanager
    def under(self, key: str) -> Iterator[None]:
        """Note what is wrong with the part called `key`, and go on."""
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
    """The mistakes with their origins: the deepest thing that was written on the way there."""
    found = [(m.origin or tree.nearest(m.where)[0].origin, m) for m in mistakes]
    found.sort(key=lambda pair: (pair[0].line is None, pair[0].line or 0))
    return [
        evolve(mistake, origin=origin)
        if mistake.origin or origin.line
        else evolve(mistake, origin=origin, where=_named(mistake.where, tree))
        for origin, mistake in found
    ]


def _named(where: Where, tree: Node) -> Where:
    """The place with entries of lists called by their component, as an override calls them."""
    named = []
    for depth, key in enumerate(where):
        above, entry = tree.find(where[:depth]), tree.find(where[: depth + 1])
        name = entry.find(("name",)) if entry and above and isinstance(above.value, list) else None
        named.append(str(name.value) if name else key)
    return tuple(named)


def reason(exc: BaseException) -> str:
    """What an error says, in one line."""
    if isinstance(exc, VallEError):
        return f"{exc.message}; {exc.hint}" if exc.hint else exc.message
    return str(exc.args[0]) if exc.args else type(exc).__name__


def meant(word: object, known: Iterable[str]) -> str:
    """A question to add to a message if `word` looks like a misspelt one of `known`."""
    near = get_close_matches(str(word), list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else ""
