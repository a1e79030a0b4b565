import pytest
import torch
from jaxtyping import Float, TypeCheckError, jaxtyped
from shapes_once import check
from torch import Tensor


@jaxtyped(typechecker=check)
def add(
    x: Float[Tensor, "b t"], y: Float[Tensor, "b t"], wrong: bool = False
) -> Float[Tensor, "b t"]:
    return (x + y)[1:] if wrong else x + y


@jaxtyped(typechecker=check)
def total(xs: list[Float[Tensor, " t"]]) -> Float[Tensor, " t"]:
    return torch.stack(xs).sum(0)


def test_a_wrong_size_is_found_after_right_ones():
    x = torch.ones(2, 3)
    for _ in range(3):
        assert add(x, x).equal(2 * x)
    for y in (x[:, :2], x[:1], x[0], x.int(), None):
        for _ in range(2):
            with pytest.raises(TypeCheckError, match="checking the parameters"):
                add(x, y)


def test_a_wrong_answer_is_found_after_right_ones():
    x = torch.ones(2, 3)
    for wrong in (False, True, True):
        if wrong:
            with pytest.raises(TypeCheckError, match="checking the return value"):
                add(x, x, wrong)
        else:
            add(x, x, wrong)


def test_what_is_in_a_container_is_looked_at_each_time():
    total([torch.ones(3)])
    with pytest.raises(TypeCheckError):
        total([torch.ones(3, 1)])
