"""CAM++ with random weights, in the file format of the real ones."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vall_e.audio.clip import Clip
from vall_e.errors import UnavailableError
from vall_e.interfaces.judge import Case, Evidence
from vall_e.testing import JudgeContract
from vall_e_judges.campp import Campp, CamppEncoder, convert
from vall_e_judges.campp_network import CamPlusPlus
from vall_e_judges.kaldi_bands import KaldiBands, mel_triangles
from vall_e_judges.options import CamppConfig


@pytest.fixture(scope="session")
def campp_file(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("campp") / "campplus.safetensors"
    save_file(CamPlusPlus().state_dict(), path)
    return path


@pytest.fixture(scope="session")
def encoder(campp_file):
    return CamppEncoder.load(campp_file)


@pytest.mark.slow
class TestCampp(JudgeContract):
    figures = ("campp", "campp_own_speaker_first")

    @pytest.fixture(autouse=True)
    def weights(self, campp_file):
        self.path = campp_file

    def make(self, case):
        return Campp(CamppConfig(self.path), case)


def test_the_network_has_the_tensors_of_the_published_weights():
    state = CamPlusPlus().state_dict()
    assert len(state) == 937
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    assert shapes["head.layer2.0.shortcut.0.weight"] == (32, 32, 1, 1)
    assert shapes["xvector.tdnn.linear.weight"] == (128, 320, 5)
    assert shapes["xvector.block2.tdnnd24.cam_layer.linear_local.weight"] == (32, 128, 3)
    assert shapes["xvector.transit3.linear.weight"] == (512, 1024, 1)
    assert shapes["xvector.dense.linear.weight"] == (192, 1024, 1)
    assert "xvector.dense.nonlinear.batchnorm.weight" not in shapes


def test_a_vector_has_length_one_and_does_not_depend_on_loudness(encoder, spoken):
    clip, _ = spoken["a0031"]
    samples = clip.mono().resample(16_000).samples
    loud, soft = encoder.vector(samples), encoder.vector(samples * np.float32(0.1))
    assert loud.shape == (192,)
    assert np.linalg.norm(loud) == pytest.approx(1.0, abs=1e-5)
    assert loud @ soft == pytest.approx(1.0, abs=1e-3)


def test_silence_and_a_moment_have_no_vector(encoder):
    assert encoder.vector(np.zeros(16_000, np.float32)) is None
    assert encoder.vector(np.ones(1000, np.float32)) is None


def test_a_recording_is_wholly_like_itself(campp_file, spoken):
    clip, _ = spoken["a0031"]
    judge = Campp(CamppConfig(campp_file), Case())
    assert judge(Evidence(clip, original=clip)).scores["campp"].value == pytest.approx(1, abs=1e-5)
    silent = Clip(np.zeros(16_000, np.float32), 16_000)
    assert judge(Evidence(silent, reference=clip)).scores["campp"].value == 0.0


def test_the_report_names_the_weights(campp_file):
    (name, digest), *_ = Campp(CamppConfig(campp_file), Case()).weights.items()
    assert name == "CAM++ campplus.safetensors"
    assert len(digest) == 64


def test_weights_of_3d_speaker_are_converted(tmp_path):
    state = CamPlusPlus().state_dict()
    torch.save(state, tmp_path / "campplus.pt")
    convert(tmp_path / "campplus.pt", tmp_path / "campplus.safetensors")
    CamppEncoder.load(tmp_path / "campplus.safetensors")


def test_without_weights_or_with_others_it_says_what_to_do(tmp_path):
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, other)
    for path, message in (
        (None, "needs a file of weights"),
        (tmp_path / "absent.safetensors", "there is no file"),
        (other, "does not hold the weights"),
    ):
        with pytest.raises(UnavailableError, match=message) as caught:
            Campp(CamppConfig(path), Case())
        assert "docs/evaluation.md" in caught.value.hint


def test_a_tone_is_loudest_in_its_band():
    triangles = mel_triangles()
    assert triangles.shape == (80, 257)
    seconds = torch.arange(16_000) / 16_000
    found = KaldiBands()(torch.cat([torch.sin(6283.2 * seconds), torch.zeros(16_000)]) * 0.1)
    assert found.shape == (198, 80)
    assert found[:80].mean(0).argmax() == triangles[:, 32].argmax()  # 1 kHz is bin 32
    assert found.mean(0).abs().max() < 1e-3
