"""The few parts of pytest that contracts use; a replacement where pytest is not installed.

`vall-e plugins check` runs contracts on a user's machine, which may not have pytest.
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
