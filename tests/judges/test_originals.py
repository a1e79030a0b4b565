"""PESQ, STOI and DNSMOS: run for real where the extra `eval` is installed."""

import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.errors import UnavailableError
from vall_e.interfaces.judge import Evidence
from vall_e.testing import JudgeContract
from vall_e_judges import components


def build(name, **options):
    offered = {one.name: one for one in components.vall_e_register_judges()}
    try:
        return offered[name].build(offered[name].config(**options), case=None)
    except UnavailableError as exc:
        pytest.skip(exc.message)


class TestPesq(JudgeContract):
    figures = ("pesq_wb",)

    def make(self, case):
        return build("pesq")


class TestStoi(JudgeContract):
    figures = ("stoi", "estoi")

    def make(self, case):
        return build("stoi")


@pytest.mark.slow
class TestDnsmos(JudgeContract):
    figures = ("dnsmos", "dnsmos_speech", "dnsmos_background")

    def make(self, case):
        return build("dnsmos")


def noisy(clip, share):
    noise = np.random.default_rng(0).standard_normal(clip.samples.shape).astype(np.float32)
    return Clip(clip.samples + share * noise, clip.sample_rate)


@pytest.mark.parametrize(("name", "figure"), [("pesq", "pesq_wb"), ("stoi", "stoi")])
def test_more_noise_is_worse_and_none_is_best(spoken, name, figure):
    clip, _ = spoken["a0031"]
    judge = build(name)
    values = [
        judge(Evidence(noisy(clip, share), original=clip)).scores[figure].value
        for share in (0.0, 0.003, 0.03)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx({"pesq_wb": 4.64, "stoi": 1.0}[figure], abs=0.01)


def test_narrow_band_is_another_figure(spoken):
    clip, _ = spoken["a0031"]
    judge = build("pesq", band="nb")
    assert judge(Evidence(clip, original=clip)).scores["pesq_nb"].value > 4.5


def test_a_clip_is_compared_over_the_length_of_its_original(spoken):
    clip, _ = spoken["a0031"]
    judge = build("stoi")
    longer = Clip(np.pad(clip.samples, (0, 8000)), clip.sample_rate)
    found = judge(Evidence(longer, original=clip)).scores["stoi"].value
    assert found == pytest.approx(1.0, abs=1e-3)
