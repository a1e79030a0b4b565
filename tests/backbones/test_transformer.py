import pytest
import torch
from attrs import evolve

from vall_e.errors import ConfigError
from vall_e.testing.contracts.backbone import BackboneContract
from vall_e_backbones.kernels import Sdpa
from vall_e_backbones.options import TransformerConfig
from vall_e_backbones.transformer import SinusoidalPositions, Transformer

TINY = TransformerConfig(d_model=16, layers=2, heads=4)
LEARNED = evolve(TINY, positions="learned", max_positions=8, activation="relu")


def _seeded(config=TINY):
    torch.manual_seed(0)
    return Transformer(config, attention=Sdpa("sdpa")).eval()


class TestSinusoidal(BackboneContract):
    def make(self):
        return _seeded()


class TestLearned(BackboneContract):
    def make(self):
        model = _seeded(LEARNED)
        model.positions.table.weight.data *= 50  # at 0.02, positions would hardly be heard
        return model


def test_checkpointing_changes_no_gradient():
    x, lengths = torch.randn(2, 5, 16), torch.tensor([5, 3])
    gradients = []
    for checkpointing in (False, True):
        model = _seeded(evolve(TINY, checkpointing=checkpointing)).train()
        hidden, _ = model(x, lengths=lengths, positions=torch.arange(5).expand(2, -1), causal=False)
        hidden.square().sum().backward()
        gradients.append([p.grad for p in model.parameters()])
    torch.testing.assert_close(*gradients)


def test_a_sinusoid_turns_once_in_two_pi_positions():
    vectors = SinusoidalPositions(4)(torch.tensor([[0, 3]]))
    far = torch.tensor(3.0), torch.tensor(0.03)
    wanted = torch.stack([far[0].sin(), far[1].sin(), far[0].cos(), far[1].cos()])
    torch.testing.assert_close(vectors[0, 1], wanted)
    assert vectors[0, 0].tolist() == [0, 0, 1, 1]


def test_a_position_beyond_the_table_is_refused():
    model = _seeded(LEARNED)
    x, lengths = torch.zeros(1, 9, 16), torch.tensor([9])
    with pytest.raises(ConfigError, match="position 8 has no vector"):
        model(x, lengths=lengths, positions=torch.arange(9)[None])
