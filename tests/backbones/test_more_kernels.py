"""Kernels beside those of scaled_dot_product_attention."""

from types import MappingProxyType

import pytest
import torch
from attrs import evolve
from torch.nn.functional import scaled_dot_product_attention

from vall_e.errors import UnavailableError
from vall_e.interfaces.attention import AttentionCase
from vall_e.testing.contracts.attention import KINDS, AttentionContract
from vall_e.testing.fakes.packed_attention import attend_packed
from vall_e_backbones.default_kernel import Default
from vall_e_backbones.flash_attention_2 import FlashAttention2
from vall_e_backbones.flex import Flex
from vall_e_backbones.kernels import Auto
from vall_e_backbones.limits import Limits, Package
from vall_e_backbones.llama import Llama
from vall_e_backbones.options import DefaultConfig, FlexConfig, LlamaConfig

HALF = MappingProxyType({torch.float16: 5e-3, torch.bfloat16: 2e-2})
CASE = AttentionCase(torch.device("cpu"), torch.float32, head_dim=8, heads=2, kv_heads=2)


class TestDefault(AttentionContract):
    def make(self):
        return Default(DefaultConfig())


def test_default_keeps_the_weights_of_each_layer_of_the_last_pass():
    kernel = Default(DefaultConfig(keep=2))
    model = Llama(LlamaConfig(d_model=16, layers=2, heads=4), attention=kernel).eval()
    for length in (3, 5):
        positions = torch.arange(length)[None]
        model(torch.randn(1, length, 16), lengths=torch.tensor([length]), positions=positions)
    assert [maps.shape for maps in kernel.kept] == [(1, 4, 5, 5)] * 2
    for maps in kernel.kept:
        torch.testing.assert_close(maps.sum(-1), torch.ones(1, 4, 5))
        assert maps.triu(1).eq(0).all()


def test_default_keeps_nothing_unless_asked():
    kernel = Default(DefaultConfig())
    x = torch.randn(1, 2, 3, 8)
    kernel(x, x, x)
    assert not kernel.kept


def test_a_query_that_may_look_nowhere_gets_nothing():
    x, mask = torch.randn(1, 2, 3, 8), torch.ones(1, 1, 3, 3, dtype=torch.bool)
    mask[:, :, 1] = False
    out = Default(DefaultConfig())(x, x, x, mask=mask)
    assert out[:, :, 1].eq(0).all()
    assert out.isfinite().all()


@pytest.mark.slow
class TestFlex(AttentionContract):
    """On a CPU, where it is not compiled."""

    def make(self):
        return Flex(FlexConfig())

    @pytest.mark.parametrize(
        ("kind", "kv_heads", "dtype"),
        [
            *((kind, 2, torch.float32) for kind in KINDS),
            *(("padded block", kv_heads, torch.bfloat16) for kv_heads in (1, 4)),
            *(("causal", kv_heads, torch.float16) for kv_heads in (1, 4)),
        ],
    )
    def test_equals_the_plain_formula(self, kind, kv_heads, dtype):
        """Each kind, and each of the rest: all together take long, and none is a path apart."""
        super().test_equals_the_plain_formula(kind, kv_heads, dtype)


@pytest.mark.slow
def test_flex_takes_masks_and_groups_and_compiles_nothing_on_a_cpu():
    q, (k, v) = torch.randn(2, 4, 5, 8), torch.randn(2, 2, 2, 5, 8)
    mask = torch.ones(2, 1, 5, 5, dtype=torch.bool)
    mask[1, :, :2, 3:] = False
    out = Flex(FlexConfig())(q, k, v, mask=mask, scale=0.3)
    wanted = scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=0.3, enable_gqa=True)
    torch.testing.assert_close(out, wanted)


def test_flex_says_where_it_has_no_gradients():
    case = evolve(CASE, training=True)
    assert "not support gradients on the CPU" in Flex(FlexConfig()).unsupported(case)


class Transformers:
    """Its function of FlashAttention-2, as far as shapes go, over PyTorch's own attention."""

    def __call__(
        self,
        query_states,
        key_states,
        value_states,
        attention_mask,
        query_length,
        is_causal,
        dropout=0.0,
        softmax_scale=None,
        cu_seq_lens_q=None,
        cu_seq_lens_k=None,
        max_length_q=None,
        max_length_k=None,
        attn_implementation=None,
    ):
        assert attention_mask is None
        assert attn_implementation == "flash_attention_2"
        assert query_states.dtype in (torch.float16, torch.bfloat16)
        assert query_states.shape[1] == query_length
        if cu_seq_lens_q is None:
            q, k, v = (x.transpose(1, 2) for x in (query_states, key_states, value_states))
            options = {"scale": softmax_scale, "dropout_p": dropout, "is_causal": is_causal}
            out = scaled_dot_product_attention(q, k, v, enable_gqa=True, **options)
            return out.transpose(1, 2)
        assert not is_causal
        q, k, v = (x.reshape(-1, *x.shape[-2:]) for x in (query_states, key_states, value_states))
        lengths = (cu_seq_lens_q, cu_seq_lens_k, max_length_q, max_length_k)
        out = attend_packed(q, k, v, *lengths, dropout=dropout, scale=softmax_scale)
        return out.unflatten(0, (len(query_states), -1))


class TestCallsOfFlashAttention2(AttentionContract):
    """The contract over the package's stand-in: what goes in and what comes out."""

    tolerance = HALF

    def make(self):
        return FlashAttention2(Package(Transformers()), devices=("cpu",))


def test_flash_attention_2_says_what_is_missing():
    reason = FlashAttention2(Package(absent="flash_attn is not installed")).unsupported(CASE)
    assert reason == "flash_attn is not installed"


@pytest.mark.parametrize(
    ("limits", "case", "reason"),
    [
        (Limits(), {}, "needs a CUDA device, this is cpu"),
        (Limits(absent="gone"), {}, "gone"),
        (Limits(dtypes=(torch.float16,)), {}, "supports float16, this is float32"),
        (Limits(max_head_dim=4), {}, "supports heads up to 4 channels, these have 8"),
        (
            Limits(head_dim_multiple=3),
            {},
            "supports heads of a multiple of 3 channels, these have 8",
        ),
        (Limits(), {"dropout": 0.1}, "does not support dropout"),
        (Limits(gradients=False), {"training": True}, "does not support gradients"),
        (Limits(masks="none"), {"masked": True, "padding": True}, "does not support masks"),
        (Limits(masks="padding"), {"masked": True}, "supports padding masks only"),
        (Limits(masks="padding"), {"masked": True, "padding": True}, None),
        (Limits(dropout=True), {"masked": True, "training": True, "dropout": 0.1}, None),
    ],
)
def test_limits_give_the_reason(limits, case, reason):
    limits = evolve(limits, devices=("cuda",) if reason and "CUDA" in reason else ("cpu",))
    given = limits.reason(evolve(CASE, **case))
    assert given == reason or given.startswith(reason)


def test_a_package_that_is_missing_or_broken_says_so(tmp_path, monkeypatch):
    (tmp_path / "broken_kernel.py").write_text("from math import no_such_thing\n")
    monkeypatch.syspath_prepend(tmp_path)
    missing, broken = Package.load("no_such_kernel", "no-such"), Package.load("broken_kernel", "x")
    assert missing.absent == "no_such_kernel is not installed: pip install no-such"
    assert broken.absent.startswith("broken_kernel cannot be imported: cannot import name")
    assert Package.load("math", "x", ready=lambda module: "no").absent == "no"


def test_a_mask_that_is_the_same_for_all_queries_is_padding():
    q = torch.randn(2, 2, 3, 8)
    valid = torch.tensor([[True, True, True], [True, False, False]])[:, None, None]
    cases = [
        AttentionCase.of(q, q, mask=mask, causal=False, dropout=0.0)
        for mask in (None, valid, valid.expand(-1, -1, 3, -1), valid.expand(-1, -1, 3, -1).clone())
    ]
    assert [case.padding for case in cases] == [False, True, True, False]


def test_auto_explains_its_choice():
    assert Auto().explain(CASE).startswith("uses sdpa: on cpu")
    absent = evolve(CASE, device=torch.device("cuda"))
    if not torch.cuda.is_available():
        assert Auto().explain(absent).startswith("uses sdpa; not cudnn: CUDA is not available")


def test_a_refused_call_names_the_kernel():
    x = torch.randn(1, 2, 3, 8)
    with pytest.raises(
        UnavailableError, match="attention kernel 'flex' cannot run this: does not support"
    ):
        Flex(FlexConfig())(x, x, x, dropout=0.1)
