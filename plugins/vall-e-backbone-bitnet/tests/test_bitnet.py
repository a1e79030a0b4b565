import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file

from vall_e.discovery import discover
from vall_e.plugin import CheckpointError, ConfigError, UnavailableError
from vall_e.testing import BackboneContract, StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import load
from vall_e_backbone_bitnet.bitnet import bitnet, by_package, replace
from vall_e_backbone_bitnet.exporter import PackedExporter
from vall_e_backbone_bitnet.linear import BitLinear, PackedLinear, eight_bits, pack, unpack
from vall_e_backbone_bitnet.options import BitNetConfig
from vall_e_backbones.kernels import Sdpa

TINY = BitNetConfig(d_model=16, layers=2, heads=4)


def _seeded(config=TINY):
    torch.manual_seed(0)
    return bitnet(config, attention=Sdpa("sdpa")).eval()


class TestBitNet(BackboneContract):
    def make(self):
        return _seeded()


class TestPacked(BackboneContract):
    learns = False

    def make(self):
        model = _seeded()
        replace(model, PackedLinear.of)
        return model


def test_a_layer_computes_with_three_weights_and_255_inputs():
    layer = BitLinear(6, 5)
    x = torch.randn(3, 6)
    inputs = x / x.square().mean(-1, keepdim=True).sqrt()
    steps = inputs / (inputs.abs().amax(-1, keepdim=True) / 127)
    torch.testing.assert_close(eight_bits(inputs) / inputs * steps, steps.round())
    mean = layer.weight.abs().mean()
    weights = (layer.weight / mean).round().clamp(-1, 1) * mean
    assert set((weights / mean).round().flatten().tolist()) <= {-1, 0, 1}
    torch.testing.assert_close(layer(x), eight_bits(inputs) @ weights.T, rtol=1e-4, atol=1e-5)


def test_gradients_pass_straight_through_the_rounding():
    layer, x = BitLinear(6, 5), torch.randn(3, 6)
    layer(x).sum().backward()
    inputs = torch.nn.functional.rms_norm(x, (6,))
    torch.testing.assert_close(layer.weight.grad, eight_bits(inputs).sum(0).expand(5, -1))


@pytest.mark.parametrize("width", [4, 7])
def test_what_is_packed_comes_back_from_a_quarter_of_the_bytes(width):
    ternary = torch.randint(-1, 2, (3, width), dtype=torch.int8)
    packed = pack(ternary)
    assert packed.shape == (3, 1 if width == 4 else 2)
    assert unpack(packed, width).equal(ternary)


def test_packed_weights_say_the_same_to_the_last_bit():
    layer = BitLinear(10, 6)
    x = torch.randn(4, 10)
    assert PackedLinear.of(layer).eval()(x).equal(layer(x))


def test_packed_weights_do_not_learn():
    with pytest.raises(ConfigError, match="cannot be trained"):
        PackedLinear(4, 4).train()(torch.zeros(1, 4))


def test_checkpointing_changes_no_gradient():
    x, lengths = torch.randn(2, 5, 16), torch.tensor([5, 3])
    gradients = []
    for checkpointing in (False, True):
        model = _seeded(evolve(TINY, checkpointing=checkpointing)).train()
        hidden, _ = model(x, lengths=lengths, positions=torch.arange(5).expand(2, -1))
        hidden.square().sum().backward()
        gradients.append([p.grad for p in model.parameters()])
    torch.testing.assert_close(*gradients)


def _bundle(registry, name):
    backbone = {"name": name, "d_model": 32, "layers": 2, "heads": 2}
    return tiny_bundle(registry, StaircaseCodec(levels=2), model={"backbone": backbone})


def test_an_exported_model_has_two_bits_a_weight_and_says_the_same(tmp_path):
    registry = discover()
    bundle, path = _bundle(registry, "bitnet"), tmp_path / "small.safetensors"
    PackedExporter()(bundle, path)
    read = load(path, registry)
    assert read.config.model.backbone.options.packed
    name = "backbone.layers.0.self_attn.q_proj.packed"
    assert load_file(path)[name].nbytes == 32 * 32 // 4
    x, lengths = torch.randn(1, 5, 32), torch.tensor([5])
    outs = [
        each.model.backbone(x, lengths=lengths, positions=torch.arange(5)[None])[0]
        for each in (bundle, read)
    ]
    assert outs[0].equal(outs[1])
    assert isinstance(bundle.model.backbone.layers[0].mlp.up_proj, BitLinear)  # left as it was


def test_another_backbone_is_not_packed(tmp_path):
    with pytest.raises(CheckpointError, match="llama does not have two-bit weights"):
        PackedExporter()(_bundle(discover(), "llama"), tmp_path / "x.safetensors")


def test_a_package_that_is_missing_is_named():
    with pytest.raises(UnavailableError, match="cannot be imported"):
        by_package("no_such_package_as_this")


def test_layers_of_a_package_take_over_the_weights(tmp_path, monkeypatch):
    (tmp_path / "one_bit.py").write_text(
        "from torch import nn\nclass BitLinear(nn.Linear):\n    'Has the signature of theirs.'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    layer = torch.nn.Linear(3, 4, bias=False)
    made = by_package("one_bit")(layer)
    assert type(made).__name__ == "BitLinear"
    assert made.weight is layer.weight


def test_a_package_cannot_be_packed():
    with pytest.raises(ConfigError, match="cannot be packed"):
        BitNetConfig(linear="package", packed=True)
