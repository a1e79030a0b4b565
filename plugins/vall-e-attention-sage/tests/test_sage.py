from types import MappingProxyType

import torch
from attrs import evolve
from torch.nn.functional import scaled_dot_product_attention

from vall_e.interfaces.attention import AttentionCase
from vall_e.testing import AttentionContract
from vall_e.testing.fakes.packed_attention import attend_packed
from vall_e_attention_sage.components import vall_e_register_attentions
from vall_e_attention_sage.options import SageConfig
from vall_e_attention_sage.sage import Sage
from vall_e_backbones.limits import Package

CASE = AttentionCase(torch.device("cpu"), torch.float16, head_dim=64, heads=2, kv_heads=2)


class Functions:
    """Those of sageattention with their signatures, over the plain formula."""

    def sageattn(
        self, q, k, v, tensor_layout="HND", is_causal=False, sm_scale=None, return_lse=False
    ):
        assert tensor_layout == "HND"
        assert q.dtype in (torch.float16, torch.bfloat16)
        return scaled_dot_product_attention(
            q, k, v, is_causal=is_causal, scale=sm_scale, enable_gqa=True
        )

    def sageattn_varlen(
        self,
        q,
        k,
        v,
        cu_seqlens_q,
        cu_seqlens_k,
        max_seqlen_q,
        max_seqlen_k,
        is_causal=False,
        sm_scale=None,
        smooth_k=True,
    ):
        lengths = (cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k)
        return attend_packed(q, k, v, *lengths, scale=sm_scale, causal=is_causal)


class TestCalls(AttentionContract):
    tolerance = MappingProxyType({torch.float16: 5e-3, torch.bfloat16: 2e-2})

    def make(self):
        return Sage(Package(Functions()), devices=("cpu",))


def test_it_is_offered_under_its_name():
    [component] = vall_e_register_attentions()
    assert component.name == component.build(SageConfig()).name == "sage"


def test_it_is_not_for_training():
    kernel = Sage(Package(Functions()), devices=("cpu",))
    assert kernel.unsupported(CASE) is None
    assert kernel.unsupported(evolve(CASE, training=True)) == "does not support gradients"
    assert kernel.unsupported(evolve(CASE, dropout=0.1)) == "does not support dropout"


def test_what_is_missing_is_the_reason():
    kernel = Sage(Package(absent="sageattention is not installed: pip install sageattention"))
    assert kernel.unsupported(CASE).endswith("pip install sageattention")
