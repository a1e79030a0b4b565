import pytest
import torch

from vall_e.errors import ConfigError
from vall_e.testing.backbone import BackboneContract
from vall_e_backbones.components import LlamaConfig
from vall_e_backbones.kernels import Eager, Sdpa
from vall_e_backbones.llama import Llama

TINY = LlamaConfig(d_model=16, layers=2, heads=4)


class TestLlama(BackboneContract):
    def make(self):
        return _seeded(TINY)


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


def test_positions_are_heard_of():
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
