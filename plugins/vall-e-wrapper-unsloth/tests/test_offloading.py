import pytest
import torch
from torch import nn

from vall_e.plugin import ConfigError
from vall_e.testing import WrapperContract
from vall_e_backbones.kernels import Sdpa
from vall_e_backbones.llama import Llama
from vall_e_backbones.mixtral import Mixtral
from vall_e_backbones.options import LlamaConfig, MixtralConfig
from vall_e_wrapper_unsloth.components import build_unsloth, vall_e_register_wrappers
from vall_e_wrapper_unsloth.options import UnslothConfig


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 8), nn.Sequential(nn.GELU(), nn.Linear(8, 3))])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class TestUnsloth(WrapperContract):
    def make(self):
        return build_unsloth(UnslothConfig())

    def model(self):
        torch.manual_seed(0)
        return Stack()


def _llama(layers=3, dropout=0.2):
    torch.manual_seed(0)
    config = LlamaConfig(d_model=16, layers=layers, heads=2, dropout=dropout)
    return Llama(config, attention=Sdpa("sdpa")).train()


def _run(llama, length=5, dtype=torch.bfloat16, autocast=False):
    torch.manual_seed(1)
    x = torch.randn(2, length, 16, requires_grad=True)
    lengths, positions = torch.tensor([length, length - 2]), torch.arange(length).expand(2, -1)
    with torch.autocast("cpu", dtype=dtype, enabled=autocast):
        out, _ = llama(x, lengths=lengths, positions=positions, causal=False)
    return x, out


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("every", [1, 2])
def test_gradients_are_the_same_to_the_last_bit(autocast, every):
    found = []
    for wrap in (lambda model: model, build_unsloth(UnslothConfig(every=every))):
        model = wrap(_llama())
        x, out = _run(model, autocast=autocast)
        out.float().square().sum().backward()
        found.append([out, x.grad, *(p.grad for p in model.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_a_layer_keeps_nothing_on_the_device_but_its_output():
    kept = []
    for wrap in (lambda model: model, build_unsloth(UnslothConfig())):
        model, sizes = wrap(_llama(layers=4)), []

        def count(tensor, sizes=sizes):
            sizes.append(tensor.nbytes)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            _run(model, length=40)
        kept.append(sum(sizes))
    assert kept[1] < kept[0] / 20  # what is left is of the last norm


def test_without_gradients_it_is_the_layer():
    model = build_unsloth(UnslothConfig())(_llama(dropout=0.0)).eval()
    assert all(not module.training for module in model.modules())
    assert not model.layers[0].layer.training
    with torch.no_grad():
        assert _run(model)[1].equal(_run(_llama(dropout=0.0).eval())[1])


def test_what_later_wrappers_replace_is_used():
    model = build_unsloth(UnslothConfig())(_llama())
    model.set_submodule("layers.0.mlp", nn.Linear(16, 16))
    assert model.layers[0].layer.mlp is model.layers[0].mlp


def test_layers_may_take_more_by_name_and_give_two_tensors():
    """As those of mixtral do, whose second is the router's loss."""
    found = []
    for wrap in (lambda model: model, build_unsloth(UnslothConfig())):
        torch.manual_seed(0)
        config = MixtralConfig(d_model=16, layers=2, heads=2, experts=3)
        model = wrap(Mixtral(config, attention=Sdpa("sdpa")).train())
        lengths, positions = torch.tensor([5, 3]), torch.arange(5).expand(2, -1)
        out, uneven = model(torch.ones(2, 5, 16), lengths=lengths, positions=positions)
        (out.square().sum() + uneven).backward()
        found.append([out, uneven, *(p.grad for p in model.parameters())])
    for plain, again in zip(*found, strict=True):
        assert torch.equal(plain, again)


def test_a_backbone_without_layers_is_refused():
    with pytest.raises(ConfigError, match="no list of layers called 'blocks'"):
        build_unsloth(UnslothConfig(layers="blocks"))(_llama())


def test_gradients_of_other_inputs_are_refused():
    model = build_unsloth(UnslothConfig())(_llama())
    with pytest.raises(ConfigError, match="more than its first input"):
        model.layers[0](torch.zeros(1, 2, 16), [torch.zeros(1, requires_grad=True)])


def test_it_is_offered_under_its_name():
    assert [c.name for c in vall_e_register_wrappers()] == ["unsloth"]
