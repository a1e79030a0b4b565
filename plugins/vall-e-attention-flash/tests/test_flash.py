from types import MappingProxyType, SimpleNamespace

import torch
from torch.nn.functional import scaled_dot_product_attention

from vall_e.interfaces.attention import AttentionCase
from vall_e.testing import AttentionContract
from vall_e.testing.fakes.packed_attention import attend_packed
from vall_e_attention_flash.components import vall_e_register_attentions
from vall_e_attention_flash.flash import FlashAttn, _lacks
from vall_e_attention_flash.options import FlashAttnConfig
from vall_e_backbones.limits import Package

HALF = MappingProxyType({torch.float16: 5e-3, torch.bfloat16: 2e-2})
CASE = AttentionCase(torch.device("cpu"), torch.float16, head_dim=256, heads=2, kv_heads=2)


class Second:
    """The functions of flash-attn 2.x with their signatures, over the plain formula."""

    def flash_attn_func(self, q, k, v, dropout_p=0.0, softmax_scale=None, causal=False):
        assert q.dtype in (torch.float16, torch.bfloat16)
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        options = {"dropout_p": dropout_p, "scale": softmax_scale, "is_causal": causal}
        return scaled_dot_product_attention(q, k, v, enable_gqa=True, **options).transpose(1, 2)

    def flash_attn_varlen_func(
        self,
        q,
        k,
        v,
        cu_seqlens_q,
        cu_seqlens_k,
        max_seqlen_q,
        max_seqlen_k,
        dropout_p=0.0,
        softmax_scale=None,
        causal=False,
    ):
        lengths = (cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k)
        options = {"dropout": dropout_p, "scale": softmax_scale, "causal": causal}
        return attend_packed(q, k, v, *lengths, **options)


class First:
    """The one function of flash-attn 1.x that we need: no shared heads, dropout by place."""

    def flash_attn_unpadded_func(
        self,
        q,
        k,
        v,
        cu_seqlens_q,
        cu_seqlens_k,
        max_seqlen_q,
        max_seqlen_k,
        dropout_p,
        softmax_scale=None,
        causal=False,
        return_attn_probs=False,
        deterministic=False,
    ):
        assert q.shape[1] == k.shape[1]
        assert q.shape[2] % 8 == 0
        assert q.shape[2] <= 128
        lengths = (cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k)
        options = {"dropout": dropout_p, "scale": softmax_scale, "causal": causal}
        return attend_packed(q, k, v, *lengths, **options)


class TestCallsOfTheSecond(AttentionContract):
    tolerance = HALF

    def make(self):
        return FlashAttn(Package(Second()), devices=("cpu",))


class TestCallsOfTheFirst(AttentionContract):
    tolerance = HALF

    def make(self):
        return FlashAttn(Package(First()), devices=("cpu",))


def test_it_is_offered_under_its_name():
    [component] = vall_e_register_attentions()
    assert component.name == component.build(FlashAttnConfig()).name == "flash-attn"


def test_the_first_knows_smaller_heads_only():
    first, second = (FlashAttn(Package(api()), devices=("cpu",)) for api in (First, Second))
    assert first.unsupported(CASE) == "supports heads up to 128 channels, these have 256"
    assert second.unsupported(CASE) is None


def test_a_package_that_knows_neither_is_reported():
    assert "none of its functions of 1.x and 2.x" in _lacks(SimpleNamespace())
    assert _lacks(First()) == _lacks(Second()) == ""


def test_what_is_missing_is_the_reason():
    kernel = FlashAttn(Package(absent="flash_attn is not installed: pip install flash-attn"))
    assert kernel.unsupported(CASE) == "flash_attn is not installed: pip install flash-attn"
