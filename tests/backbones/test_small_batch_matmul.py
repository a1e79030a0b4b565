import pytest
import torch
from torch.nn.functional import linear

from vall_e_backbones.small_batch_matmul import FewRows


@pytest.fixture
def weight():
    return torch.randn(24, 16, generator=torch.Generator().manual_seed(0))


def test_any_number_of_rows_in_any_order_gives_the_product(weight):
    """Also when rows have left that a packed weight was made for, and when more come."""
    if not FewRows.can(weight):
        pytest.skip("this PyTorch was built without MKL")
    product = FewRows(weight)
    with torch.inference_mode():
        for rows in (1, 3, 7, 5, 4, 8, 13, 6, 32, 33, 2):
            x = torch.randn(rows, 16)
            torch.testing.assert_close(product(x), linear(x, weight))


def test_other_numbers_and_places_are_left_to_torch(weight):
    assert not FewRows.can(weight.bfloat16())
    assert not FewRows.can(weight.to("meta"))
