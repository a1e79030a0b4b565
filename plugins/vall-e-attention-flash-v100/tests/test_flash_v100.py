from types import MappingProxyType, SimpleNamespace

import torch
from attrs import evolve
from torch.nn.functional import scaled_dot_product_attention

from vall_e.interfaces.attention import AttentionCase
from vall_e.testing import AttentionContract
from vall_e.testing.fakes.packed_attention import attend_packed
from vall_e_attention_flash_v100.components import vall_e_register_attentions
from vall_e_attention_flash_v100.flash_v100 import FlashV100, _lacks
from vall_e_attention_flash_v100.options import FlashV100Config
from vall_e_backbones.limits import Package

HALF = MappingProxyType({torch.float16: 5e-3})
CASE = AttentionCase(torch.device("cpu"), torch.float16, head_dim=64, heads=2, kv_heads=2)


class Functions:
    """Those of the package with their signatures, over the plain formula."""

    def flash_attn_func(
        self,
        q,
        k,
        v,
        dropout_p=0.0,
        softmax_scale=None,
        causal=False,
        window_size=(-1, -1),
        softcap=0.0,
        alibi_slopes=None,
        deterministic=False,
        return_attn_probs=False,
    ):
        assert q.dtype == k.dtype == v.dtype == torch.float16
        assert q.shape[2] == k.shape[2]
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        out = scaled_dot_product_attention(
            q, k, v, dropout_p=dropout_p, scale=softmax_scale, is_causal=causal
        )
        return out.transpose(1, 2)

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
        assert q.shape[1] == k.shape[1]
        lengths = (cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k)
        options = {"dropout": dropout_p, "scale": softmax_scale, "causal": causal}
        return attend_packed(q, k, v, *lengths, **options)


class TestCalls(AttentionContract):
    tolerance = HALF

    def make(self):
        return FlashV100(Package(Functions()), devices=("cpu",))


def test_it_is_offered_under_its_name():
    [component] = vall_e_register_attentions()
    assert component.name == component.build(FlashV100Config()).name == "flash-v100"


def test_what_it_cannot_do_has_its_reason():
    kernel = FlashV100(Package(Functions()), devices=("cpu",))
    assert kernel.unsupported(CASE) is None
    wide = evolve(CASE, dtype=torch.bfloat16)
    assert kernel.unsupported(wide) == "supports float16, this is bfloat16"
    assert "supports padding masks only" in kernel.unsupported(evolve(CASE, masked=True))


def test_another_package_of_the_same_name_is_reported():
    assert "pip install git+https://" in _lacks(SimpleNamespace(flash_attn_func=print))
    assert _lacks(Functions()) == ""
