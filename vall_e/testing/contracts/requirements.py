"""Comparisons of contracts: each failure says what is broken, the values, and the likely cause."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


def require_close(
    found: Tensor, expected: Tensor, broken: str, *, rtol: float = 1e-4, atol: float = 1e-5
) -> None:
    """Raise `AssertionError`, which starts with `broken`, if the tensors differ by more."""
    torch.testing.assert_close(
        found, expected, rtol=rtol, atol=atol, msg=lambda details: f"{broken} ({_short(details)})"
    )


def require_equal(found: Tensor, expected: Tensor, broken: str) -> None:
    """As `require_close`, without any tolerance."""
    require_close(found, expected, broken, rtol=0, atol=0)


@contextmanager
def require_error(
    kind: type[Exception] | tuple[type[Exception], ...], broken: str, *, match: str = ""
) -> Iterator[None]:
    """A block that must raise such an error, with a message that contains `match` (a pattern)."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    wanted = " or ".join(each.__name__ for each in kinds)
    try:
        yield
    except kinds as exc:
        if not re.search(match, str(exc)):
            raise AssertionError(f"{broken} (message {str(exc)!r} lacks {match!r})") from exc
    except Exception as exc:
        raise AssertionError(f"{broken} ({type(exc).__name__}: {exc}, not {wanted})") from exc
    else:
        raise AssertionError(f"{broken} (nothing was raised, expected {wanted})")


def _short(details: str) -> str:
    """The line of torch's message that shows the size of the difference, or the first line."""
    lines = [line.strip() for line in details.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("Greatest absolute")), lines[0])
