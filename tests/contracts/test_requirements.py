"""Comparisons of contracts name what is broken, the values and the expected error."""

import pytest
import torch

from vall_e.testing.contracts.requirements import require_close, require_equal, require_error


def test_a_difference_is_named_with_its_size_and_place():
    with pytest.raises(AssertionError, match=r"^the mask leaks \(.*0\.5.* at index \(1,\)"):
        require_close(torch.tensor([0.0, 0.5]), torch.zeros(2), "the mask leaks")


def test_another_shape_is_named():
    with pytest.raises(AssertionError, match=r"^rows are lost \(.*shape.*\)$"):
        require_equal(torch.zeros(2), torch.zeros(3), "rows are lost")


def test_what_is_equal_passes():
    require_equal(torch.arange(3), torch.arange(3), "never")
    require_close(torch.zeros(2), torch.full((2,), 1e-6), "never")


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (None, "it is accepted (nothing was raised, expected ValueError)"),
        (TypeError("no"), "it is accepted (TypeError: no, not ValueError)"),
        (ValueError("no"), "it is accepted (message 'no' lacks 'name')"),
    ],
)
def test_a_missing_error_is_named(raised, reason):
    with pytest.raises(AssertionError) as caught:
        refused(raised)
    assert str(caught.value) == reason


def refused(raised):
    with require_error(ValueError, "it is accepted", match="name"):
        if raised:
            raise raised


def test_the_expected_error_passes():
    with require_error((ValueError, OSError), "never", match="na.e"):
        raise OSError("no name")
