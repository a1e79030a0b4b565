"""The few words of pytest that contracts are written in; our own where pytest is not installed.

`vall-e plugins check` runs contracts on a user's machine, which has no pytest.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
else:
    try:
        import pytest
    except ModuleNotFoundError:
        from vall_e.testing.contracts import without_pytest as pytest

__all__ = ["pytest"]
