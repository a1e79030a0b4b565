"""What contracts use of pytest, in plain Python: see `vall_e.testing.contracts.pytest_words`."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from attrs import define, field, frozen

F = TypeVar("F", bound=Callable[..., Any])


class LawSkipped(BaseException):
    """The law does not apply to this component. Not an `Exception`, so no component catches it."""


class _Skip:
    """Ends a test that does not apply."""

    Exception = LawSkipped

    def __call__(self, reason: str) -> NoReturn:
        raise LawSkipped(reason)


class _Fail:
    """What the checks of this module raise."""

    Exception = AssertionError


skip, fail = _Skip(), _Fail()


@frozen
class Mark:
    """What a decorator leaves on a test, under the names of pytest's own."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def fixture(function: F) -> F:
    """The function unchanged: a test that names it gets what it returns."""
    return function


class mark:  # noqa: N801  pytest's name
    """Decorators for tests."""

    @staticmethod
    def parametrize(names: str | tuple[str, ...], values: Any, **options: Any) -> Callable[[F], F]:
        return _marked(Mark("parametrize", (names, values), options))

    @staticmethod
    def skipif(condition: bool, *, reason: str) -> Callable[[F], F]:
        return _marked(Mark("skipif", (condition,), {"reason": reason}))


def _marked(new: Mark) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        marks = [*getattr(function, "pytestmark", []), new]
        setattr(function, "pytestmark", marks)  # noqa: B010  a function has no such attribute
        return function

    return decorate


@define
class raises:  # noqa: N801  pytest's name
    """A block that must raise one of these errors, with a message in which `match` is found."""

    kinds: type[BaseException] | tuple[type[BaseException], ...]
    match: str = ""
    found: BaseException | None = field(default=None, init=False)

    @property
    def value(self) -> BaseException:
        """The error, once the block has ended."""
        assert self.found is not None
        return self.found

    def __enter__(self) -> raises:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        kinds = self.kinds if isinstance(self.kinds, tuple) else (self.kinds,)
        if error is None:
            raise AssertionError(f"did not raise {' or '.join(each.__name__ for each in kinds)}")
        if not isinstance(error, kinds):
            return False
        if not re.search(self.match, str(error)):
            raise AssertionError(f"the message {str(error)!r} does not match {self.match!r}")
        self.found = error
        return True
