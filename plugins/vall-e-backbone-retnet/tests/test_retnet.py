from importlib.util import find_spec

import pytest
import torch
from attrs import evolve

from vall_e.plugin import Component, ConfigError, UnavailableError
from vall_e.testing import BackboneContract
from vall_e_backbone_retnet.components import vall_e_register_backbones
from vall_e_backbone_retnet.options import RetNetConfig
from vall_e_backbone_retnet.retention import advance, chunkwise, log_decays, parallel
from vall_e_backbone_retnet.retnet import RetNet
from vall_e_backbone_retnet.torchscale import TorchscaleRetNet

TINY = RetNetConfig(d_model=16, layers=2, heads=2)


def _seeded(config=TINY):
    torch.manual_seed(0)
    return RetNet(config).eval()


class TestRetNet(BackboneContract):
    def make(self):
        return _seeded()


class TestChunks(BackboneContract):
    def make(self):
        return _seeded(evolve(TINY, chunk=3, experts=3, activation="silu"))


def _queries():
    chance = torch.Generator().manual_seed(0)
    sizes = (4, 4, 6)
    return [torch.randn(2, 3, 11, size, generator=chance) for size in sizes]


def test_the_three_forms_agree():
    q, k, v = _queries()
    logs = log_decays(3)
    whole = parallel(q, k, v, logs)
    torch.testing.assert_close(chunkwise(q, k, v, logs, 4), whole, rtol=1e-5, atol=1e-6)
    state, steps = torch.zeros(2, 3, 4, 6), []
    for i in range(11):  # the recurrent form
        place = slice(i, i + 1)
        start, one = torch.full((2,), i), torch.ones(2, dtype=torch.long)
        out, state = advance(
            q[:, :, place], k[:, :, place], v[:, :, place], logs, state, start, one
        )
        steps.append(out)
    torch.testing.assert_close(torch.cat(steps, dim=2), whole, rtol=1e-5, atol=1e-6)


def test_retention_is_the_formula_of_the_paper():
    q, k, v = _queries()
    out = parallel(q, k, v, log_decays(3))
    decay, n = 1 - 2.0**-6, 7  # of head 1
    told = sum(decay ** (n - m) * (q[0, 1, n] @ k[0, 1, m]) * v[0, 1, m] for m in range(n + 1))
    torch.testing.assert_close(out[0, 1, n], told / sum(decay**i for i in range(n + 1)) ** 0.5)


def test_checkpointing_changes_no_gradient():
    x, lengths = torch.randn(2, 5, 16), torch.tensor([5, 3])
    gradients = []
    for checkpointing in (False, True):
        model = _seeded(evolve(TINY, checkpointing=checkpointing, experts=2)).train()
        hidden, uneven = model(x, lengths=lengths, positions=torch.arange(5).expand(2, -1))
        (hidden.square().sum() + uneven).backward()
        gradients.append([p.grad for p in model.parameters()])
    torch.testing.assert_close(*gradients)


def test_a_router_has_a_loss_and_a_single_layer_has_none():
    x, lengths, positions = torch.randn(1, 5, 16), torch.tensor([5]), torch.arange(5)[None]
    losses = [
        _seeded(evolve(TINY, experts=each))(x, lengths=lengths, positions=positions)[1]
        for each in (1, 3)
    ]
    assert losses[0] == 0
    assert losses[1] > 0


def test_looking_both_ways_is_refused():
    x, positions = torch.zeros(1, 3, 16), torch.arange(3)[None]
    with pytest.raises(ConfigError, match="causal only"):
        _seeded()(x, lengths=torch.tensor([3]), positions=positions, causal=False)


def test_both_are_offered_under_their_names():
    components = vall_e_register_backbones()
    assert all(isinstance(each, Component) for each in components)
    assert [each.name for each in components] == ["retnet-hf", "retnet"]


def _torchscale(config=TINY):
    if not find_spec("torchscale"):
        pytest.skip("torchscale is not here")
    torch.manual_seed(0)
    return TorchscaleRetNet(config).eval()


class TestTorchscale(BackboneContract):
    uses_positions = False  # it counts for itself

    def make(self):
        return _torchscale()


def test_torchscale_is_named_where_it_is_missing():
    if find_spec("torchscale"):
        pytest.skip("torchscale is here")
    with pytest.raises(UnavailableError, match="needs torchscale"):
        TorchscaleRetNet(TINY)


def test_weights_of_torchscale_give_the_same_output():
    theirs = _torchscale(evolve(TINY, norm_eps=1e-12))
    ours = RetNet(evolve(TINY, norm_eps=1e-12)).eval()
    ours.load_state_dict(theirs.state_dict())
    x, lengths, positions = torch.randn(1, 6, 16), torch.tensor([6]), torch.arange(6)[None]
    with torch.no_grad():
        outs = [m(x, lengths=lengths, positions=positions)[0] for m in (theirs, ours)]
    torch.testing.assert_close(*outs, rtol=1e-4, atol=1e-5)
