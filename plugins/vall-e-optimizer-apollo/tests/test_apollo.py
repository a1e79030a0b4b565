import pytest
import torch
from torch import nn

from vall_e.testing import OptimizerContract
from vall_e_optimizer_apollo.apollo import limited, projection
from vall_e_optimizer_apollo.components import (
    build_apollo,
    build_apollo_mini,
    vall_e_register_optimizers,
)
from vall_e_optimizer_apollo.options import ApolloConfig, ApolloMiniConfig


class TestApollo(OptimizerContract):
    def make(self, parameters):
        return build_apollo(ApolloConfig(lr=0.02, rank=2, gap=2), parameters=parameters)


class TestApolloMini(OptimizerContract):
    def make(self, parameters):
        return build_apollo_mini(ApolloMiniConfig(lr=0.02, scale=1.0), parameters=parameters)


def _stepped(config, shape, build=build_apollo):
    torch.manual_seed(0)
    weight = nn.Parameter(torch.zeros(shape))
    weight.grad = torch.randn(shape)
    optimizer = build(config, parameters=[("weight", weight)])
    optimizer.step()
    return weight, optimizer.state[weight]


@pytest.mark.parametrize("shape", [(6, 20), (20, 6)])
def test_the_state_of_a_matrix_has_as_many_rows_as_the_rank(shape):
    weight, state = _stepped(ApolloConfig(rank=3), shape)
    assert state["mean"].shape == (3, 20)
    channels = weight.detach() / weight.grad
    axis = 0 if shape[0] < shape[1] else 1
    assert channels.std(dim=axis).max() < 1e-6  # one scale for each of the 20 channels
    assert channels.std() > 1e-5


def test_mini_has_one_scale():
    weight, state = _stepped(ApolloMiniConfig(), (6, 20), build_apollo_mini)
    assert state["mean"].shape == (1, 20)
    assert (weight.detach() / weight.grad).std() < 1e-5


def test_the_scale_is_under_a_root_as_in_the_paper():
    plain, _ = _stepped(ApolloMiniConfig(scale=1.0), (6, 20), build_apollo_mini)
    scaled, _ = _stepped(ApolloMiniConfig(scale=9.0), (6, 20), build_apollo_mini)
    torch.testing.assert_close(scaled, 3 * plain)


def test_a_small_matrix_is_trained_by_adamw():
    config = ApolloConfig(rank=6, weight_decay=0)
    weight, _ = _stepped(config, (6, 20))
    expected = nn.Parameter(torch.zeros(6, 20))
    expected.grad = weight.grad
    torch.optim.AdamW([expected], lr=config.lr, eps=config.eps, weight_decay=0).step()
    torch.testing.assert_close(weight, expected)


def test_projections_keep_lengths_on_average_and_follow_from_the_seed():
    x = torch.ones(50) / 50**0.5
    lengths = torch.stack([(projection(8, 50, seed=i) @ x).norm() ** 2 for i in range(200)])
    assert lengths.mean() == pytest.approx(1, abs=0.1)
    assert projection(8, 50, seed=3).equal(projection(8, 50, seed=3))


def test_an_update_grows_by_little_at_a_time():
    state = {}
    limited(torch.ones(2, 2), state, 1.5)
    assert limited(torch.full((2, 2), 9.0), state, 1.5).norm() == pytest.approx(3)
    assert limited(torch.ones(2, 2), state, 1.5).norm() == pytest.approx(2)


def test_both_are_offered():
    assert [c.name for c in vall_e_register_optimizers()] == ["apollo", "apollo-mini"]
