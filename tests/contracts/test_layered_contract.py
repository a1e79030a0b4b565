"""The contract of layered backbones refuses what only looks like one."""

import torch

from vall_e.testing import LayeredContract
from vall_e_backbones.kernels import Sdpa
from vall_e_backbones.llama import KeyValueCache, Llama
from vall_e_backbones.options import LlamaConfig


def _make(kind):
    torch.manual_seed(0)
    return kind(LlamaConfig(d_model=16, layers=3, heads=4), attention=Sdpa("sdpa")).eval()


class NormsBetween(Llama):
    def span(self, x, **rest):
        states, auxiliary = super().span(x, **rest)
        return self.norm(states), auxiliary


class Forgetful(KeyValueCache):
    def rewind(self, lengths):
        self.lengths = torch.zeros_like(lengths)


class ForgetsWhenRewound(Llama):
    def new_cache(self, batch, max_length):
        plain = super().new_cache(batch, max_length)
        return Forgetful(plain.keys, plain.values)


class Stays(KeyValueCache):
    def rewind(self, lengths):
        pass


class NeverRewinds(Llama):
    def new_cache(self, batch, max_length):
        plain = super().new_cache(batch, max_length)
        return Stays(plain.keys, plain.values)


class SaysOneLayer(Llama):
    depth = property(lambda self: 1, lambda self, value: None)


def test_what_is_wrong_between_layers_or_in_the_cache_is_found(judge):
    assert not judge(LayeredContract, lambda: _make(Llama)).failed
    found = judge(LayeredContract, lambda: _make(NormsBetween)).failed
    assert "test_layers_one_by_one_equal_one_pass" in found
    found = judge(LayeredContract, lambda: _make(ForgetsWhenRewound)).failed
    assert found == {"test_a_cache_continues_from_where_it_was_rewound_to"}
    found = judge(LayeredContract, lambda: _make(NeverRewinds)).failed
    assert "test_later_layers_can_catch_up_from_a_cache" in found
    found = judge(LayeredContract, lambda: _make(SaysOneLayer)).failed
    assert "test_declares_its_layers" in found
