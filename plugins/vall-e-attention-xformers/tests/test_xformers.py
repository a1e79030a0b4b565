import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from vall_e.interfaces.attention import AttentionCase
from vall_e.testing import AttentionContract
from vall_e_attention_xformers.components import vall_e_register_attentions
from vall_e_attention_xformers.options import XformersConfig
from vall_e_attention_xformers.xformers import Xformers, package
from vall_e_backbones.limits import Package


class Ops:
    """`xformers.ops` as far as we need it, with its demands, over the plain formula."""

    class LowerTriangularMask:
        """A causal bias that takes no memory."""

    def memory_efficient_attention(self, query, key, value, attn_bias=None, p=0.0, scale=None):
        assert query.shape[2] == key.shape[2] == value.shape[2]
        assert all(x.stride(-1) == 1 for x in (query, key, value))
        causal = isinstance(attn_bias, self.LowerTriangularMask)
        if not causal and attn_bias is not None:
            rows, length, heads, _ = query.shape
            assert attn_bias.shape == (rows, heads, length, key.shape[1])
            assert attn_bias.dtype == query.dtype
            assert attn_bias.stride(-2) % 8 == 0
        q, k, v = (x.transpose(1, 2) for x in (query, key, value))
        bias = None if causal else attn_bias
        out = scaled_dot_product_attention(
            q, k, v, attn_mask=bias, is_causal=causal, dropout_p=p, scale=scale
        )
        return out.transpose(1, 2)


class TestCalls(AttentionContract):
    def make(self):
        return Xformers(Package(Ops()), devices=("cpu",))


def test_it_is_offered_under_its_name():
    [component] = vall_e_register_attentions()
    assert component.name == component.build(XformersConfig()).name == "xformers"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_imports_nothing():
    case = AttentionCase(torch.device("cpu"), torch.float32, head_dim=8, heads=2, kv_heads=2)
    assert "needs a CUDA device" in Xformers(package()).unsupported(case)
