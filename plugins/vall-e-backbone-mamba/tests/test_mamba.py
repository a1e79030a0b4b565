from importlib.util import find_spec

import pytest
import torch
from attrs import evolve

from vall_e.plugin import Component, ConfigError, UnavailableError
from vall_e.testing import BackboneContract
from vall_e_backbone_mamba.components import vall_e_register_backbones
from vall_e_backbone_mamba.kernels import (
    find_selective,
    insisting,
    on_cuda,
    selective_by,
    selective_in_torch,
    structured_by,
    structured_in_torch,
)
from vall_e_backbone_mamba.mamba import mamba, mamba2
from vall_e_backbone_mamba.options import Mamba2Config, MambaConfig
from vall_e_backbone_mamba.scans import selective, structured

ONE = MambaConfig(d_model=16, layers=2, state=4)
TWO = Mamba2Config(d_model=16, layers=2, state=8, head_size=8, groups=2)


class TestMamba(BackboneContract):
    uses_positions = False  # positions are implied by the order

    def make(self):
        torch.manual_seed(0)
        return mamba(ONE).eval()


class TestMamba2(BackboneContract):
    uses_positions = False

    def make(self):
        torch.manual_seed(0)
        return mamba2(TWO).eval()


def _inputs(*sizes):
    chance = torch.Generator().manual_seed(0)
    return [torch.randn(*size, generator=chance) for size in sizes]


LONG = 150  # several chunks of either scan


def test_mambas_scan_is_its_recurrence():
    x, dt, a, b, c = _inputs((2, LONG, 3), (2, LONG, 3), (3, 4), (2, LONG, 4), (2, LONG, 4))
    dt, a = dt.abs(), -a.abs()
    y, end = selective(x, dt, a, b, c, torch.ones(2, 3, 4))
    state = torch.ones(2, 3, 4)
    for i in range(LONG):
        added = (dt[:, i] * x[:, i])[..., None] * b[:, i, None]
        state = torch.exp(dt[:, i, :, None] * a) * state + added
        torch.testing.assert_close(y[:, i], (state * c[:, i, None]).sum(-1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(end, state, rtol=1e-4, atol=1e-5)


def test_mamba2s_scan_is_its_recurrence():
    shapes = ((2, LONG, 4, 3), (2, LONG, 4), (4,), (2, LONG, 2, 5), (2, LONG, 2, 5))
    x, dt, a, b, c = _inputs(*shapes)
    dt, a = dt.abs(), -a.abs()
    y, end = structured(x, dt, a, b, c, torch.ones(2, 4, 3, 5))
    state = torch.ones(2, 4, 3, 5)
    for i in range(LONG):
        heads_b, heads_c = (v[:, i].repeat_interleave(2, dim=1) for v in (b, c))
        added = (dt[:, i, :, None] * x[:, i])[..., None] * heads_b[:, :, None]
        state = torch.exp(dt[:, i] * a)[..., None, None] * state + added
        told = (state * heads_c[:, :, None]).sum(-1)
        torch.testing.assert_close(y[:, i], told, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(end, state, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("make", "config"), [(mamba, ONE), (mamba2, TWO)])
def test_checkpointing_changes_no_gradient(make, config):
    x, lengths = torch.randn(2, 5, 16), torch.tensor([5, 3])
    gradients = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        model = make(evolve(config, checkpointing=checkpointing)).train()
        hidden, _ = model(x, lengths=lengths, positions=torch.arange(5).expand(2, -1))
        hidden.square().sum().backward()
        gradients.append([p.grad for p in model.parameters()])
    torch.testing.assert_close(*gradients)


def test_a_kernel_gets_what_it_documents():
    """Stand-ins with the layouts of mamba-ssm, made of the scans in torch."""
    shapes = ((1, 6, 3), (1, 6, 3), (3, 4), (1, 6, 4), (1, 6, 4))
    x, dt, a, b, c = _inputs(*shapes)

    def selective_scan_fn(u, delta, A, B, C):  # noqa: N803
        assert (u.shape, B.shape) == ((1, 3, 6), (1, 4, 6))
        turned = (v.transpose(1, 2) for v in (u, delta, B, C))
        u, delta, B, C = turned  # noqa: N806
        return selective_in_torch(u, delta, A, B, C).transpose(1, 2)

    whole = selective_in_torch(x, dt.abs(), -a.abs(), b, c)
    torch.testing.assert_close(selective_by(selective_scan_fn, x, dt.abs(), -a.abs(), b, c), whole)

    def mamba_chunk_scan_combined(x, dt, A, B, C, chunk_size):  # noqa: N803
        return structured_in_torch(x, dt, A, B, C) * (chunk_size == 64)

    x, dt, a, b, c = _inputs((1, 6, 4, 3), (1, 6, 4), (4,), (1, 6, 2, 5), (1, 6, 2, 5))
    whole = structured_in_torch(x, dt, a, b, c)
    torch.testing.assert_close(structured_by(mamba_chunk_scan_combined, x, dt, a, b, c), whole)


def test_tensors_on_the_processor_never_meet_the_kernel():
    def kernel(*tensors):
        raise AssertionError

    inputs = _inputs((1, 6, 3), (1, 6, 3), (3, 4), (1, 6, 4), (1, 6, 4))
    scan = on_cuda(kernel, selective_in_torch)
    torch.testing.assert_close(scan(*inputs), selective_in_torch(*inputs))


def test_kernels_that_cannot_be_imported_are_named():
    if find_spec("mamba_ssm"):
        pytest.skip("mamba-ssm is here")
    with pytest.raises(UnavailableError, match="mamba-ssm cannot be imported"):
        find_selective("kernels")
    assert find_selective("auto") is selective_in_torch


def test_looking_both_ways_is_refused():
    x, positions = torch.zeros(1, 3, 16), torch.arange(3)[None]
    with pytest.raises(ConfigError, match="causal only"):
        mamba(ONE)(x, lengths=torch.tensor([3]), positions=positions, causal=False)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"head_size": 24}, "head_size: 32"),
        ({"head_size": 7}, "head_size: 8"),
        ({"groups": 3}, "groups: 1"),
    ],
)
def test_heads_that_do_not_divide_are_refused(options, hint):
    with pytest.raises(ConfigError) as caught:
        evolve(TWO, **options)
    assert hint in caught.value.hint


def test_rates_of_decay_are_marked_as_no_weights():
    marked = [n for n, p in mamba(ONE).named_parameters() if getattr(p, "no_weight_decay", False)]
    assert [name.rpartition(".")[2] for name in marked] == ["A_log", "A_log"]


def test_both_are_offered_under_their_names():
    components = vall_e_register_backbones()
    assert all(isinstance(each, Component) for each in components)
    assert [each.name for each in components] == ["mamba", "mamba2"]


def _theirs(name):
    transformers = pytest.importorskip("transformers")
    shared = {
        "vocab_size": 4,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "layer_norm_epsilon": 1e-5,
    }
    if name == "mamba":
        config = transformers.MambaConfig(**shared, state_size=4, time_step_rank=1)
        return transformers.MambaModel(config).eval()
    config = transformers.Mamba2Config(
        **shared, state_size=8, head_dim=8, num_heads=4, n_groups=1, chunk_size=4
    )
    return transformers.Mamba2Model(config).eval()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "make", "config"), [("mamba", mamba, ONE), ("mamba2", mamba2, evolve(TWO, groups=1))]
)
def test_weights_of_transformers_give_the_same_output(name, make, config):
    theirs, ours = _theirs(name), make(config).eval()
    state = {n: t for n, t in theirs.state_dict().items() if not n.startswith("embed")}
    ours.load_state_dict(state)
    x, positions = torch.randn(2, 9, 16), torch.arange(9).expand(2, -1)
    with torch.no_grad():
        told = theirs(inputs_embeds=x).last_hidden_state
        said, _ = ours(x, lengths=torch.tensor([9, 9]), positions=positions)
    torch.testing.assert_close(said, told, rtol=1e-4, atol=1e-5)


def test_kernels_that_are_insisted_on_refuse_tensors_on_the_processor():
    scan = insisting(selective_in_torch)
    one = torch.ones(1, 1, 1)
    with pytest.raises(UnavailableError, match="this is on cpu"):
        scan(one, one, one, one, one)
