"""What the wrappers do to a model, and what is left of them in files."""

import importlib.util
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from vall_e.config.choices import WrapperChoice
from vall_e.config.component_option import choose
from vall_e.errors import ConfigError, UnavailableError
from vall_e.model.wrappers.apply import wrapped
from vall_e.model.wrappers.device_map import by_name, by_size
from vall_e.model.wrappers.quantized_linear import RoundedLinear, packed, unpacked
from vall_e.testing import WrapperContract
from vall_e.training.wrappers.components import (
    build_bitsandbytes,
    build_fp8,
    build_int4,
    build_int8,
    build_model_offload,
    build_tensorrt,
)
from vall_e.training.wrappers.fp8_layers import replaced
from vall_e.training.wrappers.options import (
    BitsAndBytesConfig,
    Fp8Config,
    ModelOffloadConfig,
    RoundedConfig,
    TensorRtConfig,
)
from vall_e.weights.file import load


def needs(name):
    return pytest.mark.skipif(not importlib.util.find_spec(name), reason=f"without {name}")


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 3)])
        self.norm = nn.LayerNorm(3)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).sin()
        return self.norm(x)


def _stack():
    torch.manual_seed(0)
    return Stack()


class TestInt8(WrapperContract):
    tolerance = 0.02
    learns = False

    def make(self):
        return build_int8(RoundedConfig())


class TestInt4SwitchedOff(WrapperContract):
    def make(self):
        return build_int4(RoundedConfig(enabled=False))


class TestModelOffload(WrapperContract):
    def make(self):
        return build_model_offload(ModelOffloadConfig(devices=("cpu", "cpu"), limits=(0.5,)))

    def model(self):
        return _stack()


class TestBitsAndBytesSwitchedOff(WrapperContract):
    def make(self):
        return build_bitsandbytes(BitsAndBytesConfig(linear=False, embedding=False))


@needs("bitsandbytes")
@pytest.mark.filterwarnings("ignore")
class TestBitsAndBytes(WrapperContract):
    tolerance = 0.05

    def make(self):
        return build_bitsandbytes(BitsAndBytesConfig())


class TestFp8SwitchedOff(WrapperContract):
    def make(self):
        return build_fp8(Fp8Config(enabled=False))


class TestTensorRtSwitchedOff(WrapperContract):
    def make(self):
        return build_tensorrt(TensorRtConfig(enabled=False))


@pytest.mark.slow
@needs("torchao")
@pytest.mark.filterwarnings("ignore")
def test_fp8_computes_nearly_the_same_with_weights_of_the_same_names():
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(32, 48), nn.Linear(48, 8))
    x = torch.randn(16, 32)
    expected, keys = plain(x), list(plain.state_dict())
    made = build_fp8(Fp8Config())(plain)
    assert list(made.state_dict()) == keys
    assert type(made[0]).__name__ == "Float8Linear"
    assert type(made[1]) is nn.Linear  # eight outputs are no multiple of 16
    assert (made(x) - expected).norm() < 0.1 * expected.norm()


@pytest.mark.skipif(bool(importlib.util.find_spec("transformer_engine")), reason="it is here")
def test_fp8_by_transformer_engine_says_what_it_lacks():
    with pytest.raises(UnavailableError, match="needs the package transformer_engine") as caught:
        build_fp8(Fp8Config(by="transformer-engine"))(nn.Sequential(nn.Linear(16, 16)))
    assert caught.value.hint == "pip install 'transformer-engine[pytorch]'"


def test_layers_of_transformer_engine_keep_names_and_see_rows_by_eights():
    """Against a stand-in with its signatures: the package needs a GPU to be imported."""
    seen = []

    class Linear(nn.Linear):
        def forward(self, x):
            seen.append((len(x), entered.pop()))
            return super().forward(x)

        def get_extra_state(self):
            return torch.zeros(1)

    entered = []

    def fp8_autocast(*, enabled, fp8_recipe):
        entered.append((enabled, fp8_recipe))
        return nullcontext()

    model, x = nn.Sequential(nn.Linear(16, 32), nn.Linear(32, 3)), torch.randn(2, 5, 16)
    expected, keys = model(x), list(model.state_dict())
    engine = SimpleNamespace(Linear=Linear, fp8_autocast=fp8_autocast)
    made = replaced(model, {"0"}, engine, "by tensor")
    assert made(x).equal(expected)
    assert seen == [(16, (True, "by tensor"))]
    assert list(made.state_dict()) == keys


@needs("torchao")
@pytest.mark.filterwarnings("ignore")
def test_fp8_of_odd_layers_is_a_mistake():
    with pytest.raises(ConfigError, match="multiples of 16"):
        build_fp8(Fp8Config())(nn.Sequential(nn.Linear(4, 8)))


@pytest.mark.skipif(bool(importlib.util.find_spec("torch_tensorrt")), reason="it is here")
def test_tensorrt_says_what_it_lacks():
    with pytest.raises(UnavailableError, match="needs the package torch_tensorrt") as caught:
        build_tensorrt(TensorRtConfig())(nn.Linear(2, 2))
    assert caught.value.hint == "pip install 'torch-tensorrt'"


@pytest.mark.parametrize(("bits", "bytes_"), [(8, 10 * 64), (4, 10 * 32)])
def test_rounded_weights_take_fewer_bytes_and_are_near(bits, bytes_):
    torch.manual_seed(0)
    layer = nn.Linear(50, 10)
    made = RoundedLinear(layer, bits=bits, group=32)
    assert made.packed.nbytes == bytes_  # 50 numbers are two groups of 32
    step = layer.weight.abs().max() / (2 ** (bits - 1) - 1)
    assert (made.weight - layer.weight).abs().max() <= step / 2 + 1e-7


def test_rounding_what_is_rounded_changes_nothing():
    layer = nn.Linear(50, 10)
    made = RoundedLinear(layer, bits=4, group=16)
    before = made.weight
    made.load_state_dict(made.state_dict())
    torch.testing.assert_close(made.weight, before)


def test_nibbles_come_back():
    steps = torch.randint(-7, 8, (3, 6), dtype=torch.int8)
    assert unpacked(packed(steps)).equal(steps)


def test_rounding_no_layer_is_a_mistake():
    with pytest.raises(ConfigError, match="int8: no plain linear layer") as caught:
        build_int8(RoundedConfig(include=("other.*",)))(nn.Sequential(nn.Linear(2, 2)))
    assert caught.value.hint == "layers are named like 0"


def test_layers_fill_one_device_after_the_other():
    sizes = {"a": 10, "b": 10, "c": 10, "d": 10}
    assert by_size(sizes, [0.5]) == {"a": 0, "b": 0, "c": 1, "d": 1}
    assert by_size(sizes, [10.0, 25.0]) == {"a": 0, "b": 1, "c": 1, "d": 2}
    assert by_size(sizes, [0.0]) == dict.fromkeys(sizes, 1)


def test_layers_go_where_they_are_named():
    assert by_name(["layers.0", "layers.1"], [["*.1"], ["*"]]) == {"layers.0": 1, "layers.1": 0}
    with pytest.raises(ConfigError, match=r"no device matches the layer layers\.0"):
        by_name(["layers.0"], [["*.1"], []])


def test_what_a_layer_reads_is_brought_to_it():
    model = _stack()
    model.norm = nn.Identity()  # it would bring what left `meta` home, and there is nothing
    config = ModelOffloadConfig(devices=("cpu", "meta"), assign=(("layers.0",), ("*",)))
    kept = list(model.parameters())
    assert build_model_offload(config)(model)(torch.zeros(2, 4)).is_meta
    devices = [layer.weight.device.type for layer in model.layers]
    assert devices == ["cpu", "meta", "meta"]
    assert all(a is b for a, b in zip(kept[:2], model.parameters(), strict=False))


@pytest.mark.parametrize(
    "options",
    [
        {"devices": ("cpu", "meta")},
        {"devices": ("cpu", "meta"), "limits": (0.5, 0.5)},
        {"devices": ("cpu",), "assign": ((), ())},
        {"devices": ("cpu", "meta"), "limits": (0.5,), "assign": (("*",), ())},
    ],
)
def test_devices_need_one_way_to_be_filled(options):
    with pytest.raises(ValueError, match=r"must have|use `limits`"):
        ModelOffloadConfig(**options)


def test_a_model_without_layers_is_not_offloaded():
    with pytest.raises(ConfigError, match="no list of layers"):
        build_model_offload(ModelOffloadConfig())(nn.Linear(2, 2))


@pytest.mark.parametrize("device", ["bogus", "cuda:99"])
def test_a_device_that_is_not_here_is_named(device):
    config = ModelOffloadConfig(devices=("cpu", device), limits=(0.5,))
    with pytest.raises((ConfigError, UnavailableError), match=r"model-offload\.devices"):
        build_model_offload(config)(_stack())


WRAPPERS = [{"name": "model-offload"}, {"name": "unsloth"}]


@pytest.mark.skipif(
    not importlib.util.find_spec("vall_e_wrapper_unsloth"), reason="without the plugin"
)
def test_a_run_with_wrappers_is_the_run_without(bench):
    plain = bench.train("plain", max_steps=2)
    wrapped = bench.train("wrapped", max_steps=2, wrappers=WRAPPERS)
    weights = wrapped.bundle.model.state_dict()
    for name, tensor in plain.bundle.model.state_dict().items():
        assert tensor.equal(weights[name]), name


@pytest.mark.skipif(
    not importlib.util.find_spec("vall_e_backbone_bitnet"), reason="without the plugin"
)
def test_a_file_of_a_bitnet_run_speaks_as_it_was_validated_and_the_run_continues(bench):
    options = {"wrappers": ["bitnet"], "max_steps": 4}
    through = bench.train("through", **options)
    bench.train("parts", commands="quit@2", **options)
    parts = bench.train("parts", resume=True, **options)
    learnt = parts.bundle.model.state_dict()
    for name, tensor in through.bundle.model.state_dict().items():
        assert tensor.equal(learnt[name]), name
    [path] = (bench.folder / "parts").glob("step-000004/weights.safetensors")
    spoken = load(path, bench.registry).model
    name = "backbone.layers.0.mlp.up_proj"
    weight = spoken.get_submodule(name).weight
    assert type(spoken.get_submodule(name)) is nn.Linear
    assert len(weight.abs().unique()) == 2  # 0 and one number
    assert len(learnt[f"{name}.weight"].abs().unique()) > 2


def test_a_wrapper_to_speak_with_is_not_trained_with(bench):
    with pytest.raises(ConfigError, match="int4 is for inference, its weights cannot be trained"):
        bench.open(wrappers=["int4"])


def test_a_wrapper_to_train_with_is_not_spoken_with(bench):
    model = bench.open().bundle.model
    for name in ("lora", "model-offload", "fp8"):
        choice = choose(name, WrapperChoice, bench.registry, source="test")
        with pytest.raises(ConfigError, match=f"synthesis.wrappers: {name} is for training"):
            wrapped(model, [choice], option="synthesis.wrappers", learning=False)


def test_a_layer_that_was_replaced_is_not_replaced_again():
    model = build_int8(RoundedConfig())(_stack())
    with pytest.raises(ConfigError, match="int4: no plain linear layer") as caught:
        build_int4(RoundedConfig())(model)
    assert "an earlier wrapper has replaced them" in caught.value.hint
