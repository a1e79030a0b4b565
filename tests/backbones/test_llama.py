import pytest
import torch
from attrs import evolve
from torch.nn.functional import gelu, silu

from vall_e.errors import ConfigError
from vall_e.model.lora import Terms, adapters, attach, places
from vall_e.testing import LayeredContract
from vall_e.testing.contracts.backbone import BackboneContract
from vall_e_backbones.kernels import Eager, Sdpa
from vall_e_backbones.llama import (
    GatedFeedForward,
    Llama,
    _rotate,
    _rotation,
    frequencies_of,
    rotation_of,
)
from vall_e_backbones.options import LlamaConfig

TINY = LlamaConfig(d_model=16, layers=2, heads=4)


class TestLlama(BackboneContract):
    def make(self):
        return _seeded(TINY)


class TestLayersOfLlama(LayeredContract):
    def make(self):
        return _seeded(LlamaConfig(d_model=16, layers=3, heads=4))


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


def test_positions_have_an_effect():
    model, x = _seeded(TINY), torch.randn(1, 6, 16)
    running, restarting = torch.arange(6)[None], torch.tensor([[0, 1, 2, 0, 1, 2]])
    lengths = torch.tensor([6])
    first, _ = model(x, lengths=lengths, positions=running)
    other, _ = model(x, lengths=lengths, positions=restarting)
    assert not torch.equal(first[:, 3:], other[:, 3:])


def test_only_distances_count():
    """The law of rotary positions: all of them moved by the same amount changes nothing."""
    model, x = _seeded(TINY), torch.randn(1, 6, 16)
    lengths, positions = torch.tensor([6]), torch.arange(6)[None]
    first, _ = model(x, lengths=lengths, positions=positions)
    moved, _ = model(x, lengths=lengths, positions=positions + 40)
    torch.testing.assert_close(first, moved, rtol=1e-4, atol=1e-5)


def test_a_padded_row_alone_does_not_see_its_padding():
    model, x = _seeded(TINY), torch.randn(1, 6, 16)
    noisy = x.clone()
    noisy[:, 4:] = 1e3
    outs = [
        model(v, lengths=torch.tensor([4]), positions=torch.arange(6)[None], causal=False)[0]
        for v in (x, noisy)
    ]
    torch.testing.assert_close(outs[0][:, :4], outs[1][:, :4])


def test_the_kernel_gets_one_dtype_under_autocast():
    class Noting(Eager):
        seen = None

        def __call__(self, q, k, v, **options):
            self.seen = {q.dtype, k.dtype, v.dtype}
            return super().__call__(q, k, v, **options)

    kernel = Noting()
    model = Llama(TINY, attention=kernel).eval()
    with torch.autocast("cpu", torch.bfloat16):
        model(torch.randn(1, 3, 16), lengths=torch.tensor([3]), positions=torch.arange(3)[None])
    assert kernel.seen == {torch.bfloat16}


def _in_one_row(model, x, *, causal=True):
    size = x.shape[1]
    hidden, _ = model(
        x, lengths=torch.tensor([size]), positions=torch.arange(size)[None], causal=causal
    )
    return hidden


@pytest.mark.parametrize("theta", [100.0, 10_000.0])
def test_angles_fall_by_powers_of_theta(theta):
    frequencies = frequencies_of(evolve(TINY, d_model=32, rope_theta=theta), torch.device("cpu"))
    cos, sin = _rotation(torch.tensor([[0, 3]]), frequencies, torch.float32)
    wanted = torch.tensor([3 * theta ** -(i / 4) for i in (0, 1, 2, 3, 0, 1, 2, 3)])
    torch.testing.assert_close(cos[0, 1, 0], wanted.cos())
    torch.testing.assert_close(sin[0, 1, 0], wanted.sin())
    assert cos[0, 0, 0].tolist() == [1.0] * 8


def test_a_rotation_turns_pairs_of_halves():
    turned = _rotate(torch.tensor([1.0, 0.0]), (torch.tensor(0.6), torch.tensor(0.8)))
    torch.testing.assert_close(turned, torch.tensor([0.6, 0.8]))


@pytest.mark.parametrize(("name", "function"), [("silu", silu), ("gelu", gelu)])
def test_the_gate_is_activated_and_multiplied(name, function):
    torch.manual_seed(0)
    mlp = GatedFeedForward(evolve(TINY, activation=name, d_ff=24))
    x = torch.randn(1, 2, 16) * 3
    gate, up = x @ mlp.gate_proj.weight.T, x @ mlp.up_proj.weight.T
    torch.testing.assert_close(mlp(x), (function(gate) * up) @ mlp.down_proj.weight.T)


@pytest.mark.parametrize(("d_model", "d_ff"), [(16, 64), (96, 256), (256, 704)])
def test_the_feed_forward_is_eight_thirds_as_wide(d_model, d_ff):
    mlp = GatedFeedForward(LlamaConfig(d_model=d_model, heads=4))
    assert mlp.up_proj.out_features == d_ff
    assert GatedFeedForward(evolve(TINY, d_ff=5)).up_proj.out_features == 5


def test_dropout_is_of_the_attention_while_training():
    class Noting(Eager):
        seen = ()

        def __call__(self, q, k, v, **options):
            self.seen += (options["dropout"],)
            return super().__call__(q, k, v, **options)

    kernel = Noting()
    model, x = Llama(evolve(TINY, dropout=0.3), attention=kernel), torch.randn(1, 4, 16)
    first, second = _in_one_row(model.train(), x), _in_one_row(model, x)
    assert not torch.equal(first, second)
    assert torch.equal(_in_one_row(model.eval(), x), _in_one_row(model, x))
    assert kernel.seen == (0.3,) * 4 + (0.0,) * 4


def test_what_writes_to_the_residual_stream_starts_smaller():
    torch.manual_seed(0)
    layer = Llama(LlamaConfig(d_model=64, layers=8, heads=4), attention=Eager()).layers[0]
    assert layer.self_attn.q_proj.weight.std().item() == pytest.approx(0.02, rel=0.05)
    for writes in (layer.self_attn.o_proj, layer.mlp.down_proj):
        assert writes.weight.std().item() == pytest.approx(0.005, rel=0.05)


def test_a_cache_goes_with_causal_attention_only():
    model, x = _seeded(TINY), torch.randn(1, 2, 16)
    lengths, positions = torch.tensor([2]), torch.arange(2)[None]
    with pytest.raises(ValueError, match="requires causal attention"):
        model(x, lengths=lengths, positions=positions, causal=False, cache=model.new_cache(1, 2))


def test_a_cache_of_another_backbone_is_refused():
    model, x, one = _seeded(TINY), torch.randn(1, 1, 16), torch.tensor([1])

    class Other:
        lengths = one
        max_length = 3

        def select(self, rows):
            return self

    with pytest.raises(TypeError, match="llama needs a cache from its new_cache, got Other"):
        model(x, lengths=one, positions=one[:, None], cache=Other())


@pytest.mark.slow  # transformers takes seconds to import
@pytest.mark.parametrize(
    ("kv_heads", "activation", "theta"), [(0, "silu", 10_000.0), (2, "gelu", 500.0)]
)
def test_it_is_the_llama_of_hugging_face(kv_heads, activation, theta):
    from transformers import LlamaConfig as TheirConfig
    from transformers import LlamaModel

    ours = _seeded(
        LlamaConfig(
            d_model=32,
            layers=3,
            heads=4,
            kv_heads=kv_heads,
            d_ff=48,
            activation=activation,
            rope_theta=theta,
            norm_eps=1e-5,
        )
    )
    theirs = LlamaModel(
        TheirConfig(
            vocab_size=1,
            hidden_size=32,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=kv_heads or 4,
            intermediate_size=48,
            hidden_act=activation,
            rope_parameters={"rope_type": "default", "rope_theta": theta},
            rms_norm_eps=1e-5,
        )
    ).eval()
    for weight in ours.parameters():  # norms that are not one, layers that matter
        torch.nn.init.normal_(weight, mean=float(weight.ndim == 1), std=0.3)
    state = {**ours.state_dict(), "embed_tokens.weight": torch.zeros(1, 32)}
    theirs.load_state_dict(state)
    x = torch.randn(1, 9, 32)
    with torch.no_grad():
        wanted = theirs(inputs_embeds=x).last_hidden_state
        torch.testing.assert_close(_in_one_row(ours, x), wanted, rtol=0, atol=1e-5)


def test_steps_leave_the_weights_as_they_were_and_see_what_changes_them():
    model = _seeded(TINY)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    parameters = list(model.parameters())
    model.steps()
    assert all(a is b for a, b in zip(parameters, model.parameters(), strict=True))
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())
    x, position, steps = torch.randn(1, 16), torch.zeros(1, dtype=torch.long), []
    with torch.no_grad():
        for _ in range(2):
            steps.append(model.steps()(x, position, model.new_cache(1, 1)))
            model.layers[0].self_attn.v_proj.weight.mul_(2)
    assert not torch.allclose(*steps)


def test_a_step_into_a_full_cache_is_refused():
    model = _seeded(TINY)
    step, cache = model.steps(), model.new_cache(1, 1)
    step(torch.randn(1, 16), torch.zeros(1, dtype=torch.long), cache)
    with pytest.raises(ValueError, match="holds 1 positions"):
        step(torch.randn(1, 16), torch.ones(1, dtype=torch.long), cache)


class TestAdaptedLlama(BackboneContract):
    """Where layers are more than a product, they are called one by one."""

    def make(self):
        backbone = _seeded(TINY)
        attach(backbone, places(backbone, include=["*_proj"]), Terms(rank=2, alpha=4.0))
        with torch.random.fork_rng():
            torch.manual_seed(1)
            for adapter in adapters(backbone).values():
                torch.nn.init.normal_(adapter.lora_b)
        return backbone


def _rotations(positions, **options):
    config = evolve(TINY, d_model=32, **options)
    return rotation_of(config, torch.tensor([positions]), torch.float32)


def test_linear_scaling_squeezes_positions():
    scaled = _rotations([0, 6, 12], rope_scaling="linear", rope_factor=3.0)
    torch.testing.assert_close(scaled, _rotations([0, 2, 4]))


def test_ntk_scaling_keeps_the_fastest_angle_and_stretches_the_slowest():
    (fast, _), (plain, _) = (
        _rotations([6], rope_scaling="ntk", rope_factor=3.0),
        _rotations([6]),
    )
    torch.testing.assert_close(fast[..., 0], plain[..., 0])
    squeezed, _ = _rotations([2])
    torch.testing.assert_close(fast[..., 3], squeezed[..., 3])


@pytest.mark.parametrize("options", [{"rope_factor": 2.0}, {"rope_scaling": "ntk"}])
def test_a_factor_and_what_it_scales_go_together(options):
    with pytest.raises(ConfigError, match="must be set together"):
        evolve(TINY, **options)
