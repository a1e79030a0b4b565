import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vall_e.testing import SamplerContract
from vall_e_sampler_dry.components import build_dry, build_legacy_dry, vall_e_register_samplers
from vall_e_sampler_dry.dry import Dry
from vall_e_sampler_dry.legacy import LegacyDry
from vall_e_sampler_dry.options import DryConfig, LegacyDryConfig


class TestDry(SamplerContract):
    reorders = True

    def make(self):
        return build_dry(DryConfig(allowed=1))


class TestLegacyDry(SamplerContract):
    reorders = True

    def make(self):
        return build_legacy_dry(LegacyDryConfig(allowed=1))


def slow(row, past, config):
    """The penalty by its words: each earlier place, and the run before it, compared one by one."""
    past = past[-config.window :] if config.window else past
    longest = {}
    for i, token in enumerate(past):
        n = 0
        while n < min(i, config.longest) and past[i - 1 - n] == past[-1 - n]:
            n += 1
        longest[token] = max(n, longest.get(token, 0))
    return [
        x - config.multiplier * config.base ** (longest[i] - config.allowed)
        if longest.get(i, 0) >= config.allowed
        else x
        for i, x in enumerate(row)
    ]


@settings(deadline=None)
@given(
    st.integers(0, 25).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 2), min_size=n, max_size=n), min_size=1, max_size=3
        )
    ),
    st.builds(
        DryConfig,
        multiplier=st.sampled_from([0.0, 0.8, 2.0]),
        base=st.sampled_from([1.0, 1.75]),
        allowed=st.integers(1, 4),
        longest=st.integers(1, 8),
        window=st.integers(0, 12),
    ),
)
def test_it_does_what_its_words_say_row_by_row(pasts, config):
    history = torch.tensor(pasts, dtype=torch.long)
    logits = torch.tensor([[1.0, -2.0, 0.5, float("-inf")]]).expand(len(pasts), -1)
    expected = [slow(row, past, config) for row, past in zip(logits.tolist(), pasts, strict=True)]
    torch.testing.assert_close(Dry(config)(history, logits), torch.tensor(expected))


def slow_legacy(row, past, config):
    """The penalty of e-c-k-e-r/vall-e, place by place and token by token."""
    longest = {}
    for i, token in enumerate(past):
        n = 1
        while n < max(config.allowed, 50) and n <= i and past[i - n] == past[-n - 1]:
            n += 1
        longest[token] = max(n, longest.get(token, 0))
    row = list(row)
    for token, n in longest.items():
        if n < config.allowed:
            break
        row[token] -= config.multiplier * config.base ** (n - config.allowed)
    return row


@settings(deadline=None)
@given(
    st.integers(0, 25).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 2), min_size=n, max_size=n), min_size=1, max_size=3
        )
    ),
    st.builds(
        LegacyDryConfig,
        multiplier=st.sampled_from([0.0, 0.8, 2.0]),
        base=st.sampled_from([1.0, 1.75]),
        allowed=st.integers(1, 4),
    ),
)
def test_the_legacy_one_does_what_the_original_does(pasts, config):
    history = torch.tensor(pasts, dtype=torch.long)
    logits = torch.tensor([[1.0, -2.0, 0.5, float("-inf")]]).expand(len(pasts), -1)
    expected = [
        slow_legacy(row, past, config) for row, past in zip(logits.tolist(), pasts, strict=True)
    ]
    torch.testing.assert_close(LegacyDry(config)(history, logits), torch.tensor(expected))


def test_the_last_token_is_not_a_repetition_of_itself():
    """In e-c-k-e-r/vall-e it is, and so every token that was just said is held down the most."""
    history, logits = torch.tensor([[1, 2, 3]]), torch.zeros(1, 5)
    assert not Dry(DryConfig(allowed=1))(history, logits).any()
    assert LegacyDry(LegacyDryConfig(allowed=1))(history, logits)[0, 3] < -0.8


def test_what_would_repeat_a_phrase_is_penalised_and_the_same_token_elsewhere_is_not():
    history = torch.tensor([[5, 1, 2, 3, 6, 1, 2]])  # 3 came after "1 2"
    changed = Dry(DryConfig(multiplier=1.0, allowed=2))(history, torch.zeros(1, 8))
    assert changed.tolist() == [[0, 0, 0, -1, 0, 0, 0, 0]]


def test_a_longer_repetition_costs_more():
    dry = Dry(DryConfig(multiplier=1.0, base=2.0, allowed=2))
    two, four = torch.tensor([[1, 2, 3, 9, 1, 2]]), torch.tensor([[7, 8, 1, 2, 3, 9, 7, 8, 1, 2]])
    assert dry(two, torch.zeros(1, 10))[0, 3] == -1.0
    assert dry(four, torch.zeros(1, 10))[0, 3] == -4.0


def test_it_is_offered_under_its_name():
    made = {each.name: each.build(each.config()) for each in vall_e_register_samplers()}
    assert {name: type(sampler) for name, sampler in made.items()} == {
        "dry": Dry,
        "legacy-dry": LegacyDry,
    }


@pytest.mark.parametrize("options", [{"base": 0.5}, {"allowed": 0}, {"multiplier": -1.0}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        DryConfig(**options)
