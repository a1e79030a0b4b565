import numpy as np
import pytest

from vall_e.evaluation.statistics import summarize
from vall_e.interfaces.judge import Score


def summary(scores, units=None, seed=0):
    return summarize(scores, units or range(len(scores)), seed=seed, name="figure")


def test_a_mean_is_that_of_the_amounts():
    assert summary([Score(1.0), Score(2.0), Score(6.0)]).value == 3.0


def test_a_rate_is_errors_for_words_and_not_the_mean_of_rates():
    assert summary([Score(1, 1), Score(0, 9)]).value == 0.1


def test_clips_without_the_figure_are_left_out_and_counted():
    found = summary([Score(4.0), Score(None, reason="silent"), Score(None, reason="short")])
    assert (found.value, found.clips, found.left_out, found.reason) == (4.0, 1, 2, "silent")


def test_no_figure_at_all_is_none():
    found = summary([Score(None, reason="no text")])
    assert (found.value, found.interval, found.reason) == (None, None, "no text")


def test_the_interval_holds_the_value_and_follows_from_the_seed():
    scores = [Score(float(number)) for number in range(30)]
    low, high = summary(scores).interval
    assert low < summary(scores).value < high
    assert summary(scores).interval == (low, high)
    assert summary(scores, seed=1).interval != (low, high)


def test_the_interval_is_that_of_theory():
    scores = [Score(float(x)) for x in np.random.default_rng(0).standard_normal(400)]
    low, high = summary(scores).interval
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_repeats_of_a_text_tell_less_than_more_texts():
    values = [Score(float(number % 10)) for number in range(40)]
    low, high = summary(values).interval
    alike_low, alike_high = summary(values, [number % 10 for number in range(40)]).interval
    assert alike_high - alike_low > 1.5 * (high - low)


def test_few_texts_have_no_interval():
    assert summary([Score(1.0), Score(2.0)]).interval is None
    assert summary([Score(float(n)) for n in range(8)], [n % 2 for n in range(8)]).interval is None
