import pytest

from vall_e.testing import ScheduleContract
from vall_e.training.schedules.components import build_noam, build_one_cycle, build_wsd
from vall_e.training.schedules.options import NoamConfig, OneCycleConfig, WsdConfig


class TestOneCycle(ScheduleContract):
    def make(self, *, max_steps):
        return build_one_cycle(OneCycleConfig(), max_steps=max_steps)


class TestNoam(ScheduleContract):
    def make(self, *, max_steps):
        return build_noam(NoamConfig(), max_steps=max_steps)


class TestWsd(ScheduleContract):
    def make(self, *, max_steps):
        return build_wsd(WsdConfig(), max_steps=max_steps)


def test_one_cycle_rises_and_falls_to_its_ends():
    factor = build_one_cycle(OneCycleConfig(rise=0.25, first=0.1, final=0.2), max_steps=101)
    assert factor(0) == pytest.approx(0.1)
    assert factor(25) == pytest.approx(1)
    assert factor(100) == factor(900) == pytest.approx(0.2)


def test_one_cycle_without_a_rise_only_falls():
    factor = build_one_cycle(OneCycleConfig(rise=0), max_steps=10)
    assert factor(0) == 1


def test_noam_is_1_at_the_end_of_the_warmup():
    factor = build_noam(NoamConfig(warmup_steps=100), max_steps=1000)
    assert factor(49) == pytest.approx(0.5)
    assert factor(99) == 1
    assert factor(399) == pytest.approx(0.5)


def test_wsd_stays_and_then_falls():
    factor = build_wsd(
        WsdConfig(warmup_steps=10, decay=0.4, final=0.1, shape="linear"), max_steps=101
    )
    assert factor(4) == pytest.approx(0.5)
    assert factor(9) == factor(60) == 1
    assert factor(80) == pytest.approx(0.55)
    assert factor(100) == factor(500) == pytest.approx(0.1)


def test_wsd_with_the_square_root_falls_fast_at_first():
    factor = build_wsd(WsdConfig(decay=0.4, warmup_steps=0), max_steps=101)
    assert factor(70) == pytest.approx(0.5)
    assert factor(100) == 0


def test_wsd_without_a_decay_is_a_warmup():
    assert build_wsd(WsdConfig(decay=0, warmup_steps=0), max_steps=9)(8) == 1
