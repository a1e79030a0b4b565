import pytest
import torch
from attrs import evolve

from vall_e.errors import ConfigError
from vall_e.testing.contracts.backbone import BackboneContract
from vall_e_backbones.experts import Experts, unevenness
from vall_e_backbones.kernels import Sdpa
from vall_e_backbones.mixtral import Mixtral
from vall_e_backbones.options import MixtralConfig

TINY = MixtralConfig(d_model=16, layers=2, heads=4, kv_heads=2, experts=3)


def _seeded(config=TINY):
    torch.manual_seed(0)
    return Mixtral(config, attention=Sdpa("sdpa")).eval()


class TestMixtral(BackboneContract):
    def make(self):
        model = _seeded()
        for layer in model.layers:  # at 0.02, positions would hardly be heard
            layer.self_attn.q_proj.weight.data *= 20
            layer.self_attn.k_proj.weight.data *= 20
        return model


def _loss_and_gradients(config):
    model = _seeded(config).train()
    x, lengths = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(1)), [5, 3]
    hidden, uneven = model(
        x, lengths=torch.tensor(lengths), positions=torch.arange(5).expand(2, -1)
    )
    (hidden.square().mean() + uneven).backward()
    return uneven, [p.grad for p in model.parameters()]


def test_checkpointing_changes_no_gradient():
    plain, checkpointed = (
        _loss_and_gradients(evolve(TINY, checkpointing=each)) for each in (False, True)
    )
    torch.testing.assert_close(plain, checkpointed)


def test_the_routers_loss_is_weighted_and_reaches_the_router():
    one, tenfold = (
        _loss_and_gradients(evolve(TINY, router_loss=weight))[0] for weight in (0.01, 0.1)
    )
    torch.testing.assert_close(tenfold, 10 * one)
    model = _seeded()
    x = torch.randn(1, 4, 16)
    _, uneven = model(x, lengths=torch.tensor([4]), positions=torch.arange(4)[None])
    uneven.backward()
    assert model.layers[0].mlp.gate.weight.grad.any()


def test_evenly_spread_positions_have_loss_one_and_a_single_expert_has_all():
    valid = torch.tensor([True, True, False])
    even = torch.full((3, 2), 0.5)
    assert unevenness(even, torch.tensor([[0], [1], [1]]), valid) == 1  # padding does not count
    one = torch.tensor([[1.0, 0.0]]).expand(3, -1)
    assert unevenness(one, torch.zeros(3, 1, dtype=torch.long), valid) == 2


def test_an_output_is_the_weighted_sum_of_the_likeliest_experts():
    torch.manual_seed(0)
    experts = Experts(4, 3, 2, lambda: torch.nn.Linear(4, 4, bias=False))
    x = torch.randn(1, 5, 4)
    out, _ = experts(x, torch.ones(1, 5, dtype=torch.bool))
    for i in range(5):
        logits = experts.gate(x[0, i])
        best = logits.topk(2)
        wanted = sum(
            w * experts.experts[e](x[0, i])
            for w, e in zip(best.values.softmax(0), best.indices.tolist(), strict=True)
        )
        torch.testing.assert_close(out[0, i], wanted)


def test_more_experts_a_token_than_there_are_is_refused():
    with pytest.raises(ConfigError) as caught:
        MixtralConfig(experts=2, experts_per_token=3)
    assert caught.value.hint == "set experts_per_token: 2, or more experts"
