"""DAC on small random weights, in the file in which the real ones come."""

import pytest
import torch
from safetensors.torch import save_file

from vall_e.plugin import CheckpointError, DownloadError
from vall_e.testing import CodecContract
from vall_e_codecs import dac
from vall_e_codecs.components import DacConfig, build_dac

SIZES = dac.Sizes(encoder=2, decoder=16)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    pytest.importorskip("transformers")
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("dac") / "model.safetensors"
    state = {name: random_like(name, t) for name, t in dac.network(SIZES).state_dict().items()}
    save_file(state, path)
    return path


def random_like(name, tensor):
    """Such that signals neither fade nor explode on their way."""
    if name.endswith(".alpha"):
        return torch.ones_like(tensor)
    size = tensor[0].numel() if tensor.ndim == 3 else 1
    return torch.randn_like(tensor) * (0.1 if tensor.ndim == 1 else size**-0.5)


class TestDac(CodecContract):
    trained = False

    @pytest.fixture(autouse=True)
    def _codec(self, file):
        self.codec = dac.dac_of(file, levels=9, sizes=SIZES)

    def make(self):
        return self.codec


def test_weights_in_two_parts_are_the_same_weights(file, tmp_path):
    whole = dac.dac_of(file, levels=4, sizes=SIZES)
    parts = {}
    for name, tensor in whole.module.state_dict().items():
        if name.endswith(".weight") and ".conv" in name:
            size = tensor.flatten(1).norm(dim=1).view(-1, *(1,) * (tensor.ndim - 1))
            stem = name.removesuffix(".weight")
            parts |= {f"{stem}.weight_g": size, f"{stem}.weight_v": tensor * 3}
        else:
            parts[name] = tensor
    assert len(parts) > len(whole.module.state_dict())
    save_file(parts, tmp_path / "parts.safetensors")
    again = dac.dac_of(tmp_path / "parts.safetensors", levels=4, sizes=SIZES)
    codes = torch.arange(12).reshape(1, 4, 3)
    torch.testing.assert_close(again.decode(codes), whole.decode(codes), rtol=1e-3, atol=1e-4)


def test_another_file_is_refused(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match=r"does not hold the weights of the 44\.1 kHz DAC"):
        dac.dac_of(tmp_path / "x.safetensors", levels=9, sizes=SIZES)


def test_without_weights_it_says_where_they_are():
    with pytest.raises(DownloadError) as caught:
        build_dac(DacConfig())
    assert "huggingface.co/descript/dac_44khz" in caught.value.hint
