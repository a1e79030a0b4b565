import pytest
import torch

from vall_e.errors import ConfigError
from vall_e.testing.backbone import BackboneContract
from vall_e_backbones.components import LlamaConfig
from vall_e_backbones.kernels import Eager, Sdpa
from vall_e_backbones.llama import Llama

TINY = LlamaConfig(d_model=16, layers=2, heads=4)


class TestLlama(BackboneContract):
    def make(self):
        return _seeded(TINY)


class TestGroupedQueries(BackboneContract):
    def make(self):
        return _seeded(LlamaConfig(d_model=16, layers=2, heads=4, kv_heads=2, activation="gelu"))


class TestEagerLlama(BackboneContract):
    def make(self):
        torch.manual_seed(0)
        return Llama(TINY, attention=Eager()).eval()


def test_checkpointing_changes_no_gradient():
    x, lengths = torch.randn(2, 5, 16), torch.tensor([5, 3])
    positions = torch.arange(5).expand(2, -1)
    gradients = []
    for checkpointing in (False, True):
        model = _seeded(LlamaConfig(d_model=16, layers=2, heads=4, checkpointing=checkpointing))
        hidden, _ = model.train()(x, lengths=lengths, positions=positions, causal=False)
        hidden.square().sum().backward()
        gradients.append([p.grad for p in model.parameters()])
    for plain, checkpointed in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, checkpointed)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"d_model": 20, "heads": 4}, "try d_model: 24"),
        ({"heads": 4, "kv_heads": 3}, "kv_heads: 0"),
    ],
)
def test_widths_that_do_not_divide_are_refused(options, hint):
    with pytest.raises(ConfigError) as caught:
        LlamaConfig(**{"d_model": 16, **options})
    assert hint in caught.value.hint


def _seeded(config):
    torch.manual_seed(0)
    return Llama(config, attention=Sdpa("sdpa")).eval()
