"""Each sampler does what its paper says, told here a second time, one row at a time in Python."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vall_e.categorical import draw_categorical
from vall_e.errors import ConfigError
from vall_e_samplers import components as c
from vall_e_samplers import legacy_components as old
from vall_e_samplers.mirostat import zipf_count

INF = float("inf")
NO_HISTORY = torch.zeros(1, 0, dtype=torch.long)


def softmax(row):
    most = max(row)
    weights = [math.exp(x - most) for x in row]
    return [w / sum(weights) for w in weights]


def keep(row, places):
    return [x if i in places else -INF for i, x in enumerate(row)]


def min_p(row, history, *, p, keep_most=1):
    probabilities = softmax(row)
    ranked = sorted(range(len(row)), key=lambda i: -row[i])
    least = p * max(probabilities)
    return keep(row, {i for i in ranked if probabilities[i] >= least} | set(ranked[:keep_most]))


def typical(row, history, *, mass):
    probabilities = softmax(row)
    entropy = -sum(p * math.log(p) for p in probabilities if p)
    distance = [abs(-math.log(p) - entropy) if p else INF for p in probabilities]
    kept, held = set(), 0.0
    for i in sorted(range(len(row)), key=lambda i: distance[i]):
        if held < mass:
            kept.add(i)
        held += probabilities[i]
    return keep(row, kept)


def top_n_sigma(row, history, *, n):
    possible = [x for x in row if x > -INF]
    mean = sum(possible) / len(possible)
    sigma = math.sqrt(sum((x - mean) ** 2 for x in possible) / (len(possible) - 1))
    return keep(row, {i for i, x in enumerate(row) if x >= max(row) - n * sigma})


def dynamic_temperature(row, history, *, least, most):
    t = most - (most - least) / (1 + math.exp(-10 * (max(softmax(row)) - 0.5)))
    return [x / t for x in row]


def repetition_penalty(row, history, *, factor, decay, window):
    row = list(row)
    recent = history[-window:] if window else history
    for token in set(recent):
        distance = recent[::-1].index(token) + 1
        faded = factor ** (1 / distance**decay)
        row[token] = row[token] / faded if row[token] > 0 else row[token] * faded
    return row


def length_penalty(row, history, *, factor):
    """Of the probabilities, since a logit by itself means nothing."""
    odds = [math.exp(x) for x in row]
    odds[-1] *= (len(history) + 1) ** -factor
    return [math.log(x) if x else -INF for x in odds]


def stop_ban(row, history, *, frames):
    return [*row[:-1], -INF] if frames == 0 or len(history) < frames else row


def legacy_repetition_penalty(row, history, *, factor, decay, window):
    """As e-c-k-e-r/vall-e has it: again for each occurrence, whatever the sign."""
    row = list(row)
    recent = history[-window:] if window else history
    for distance, token in enumerate(reversed(recent), 1):
        row[token] /= factor * distance**decay
    return row


def legacy_length_penalty(row, history, *, factor):
    return [*row[:-1], row[-1] / (len(history) + 1) ** factor]


FORMULAS = [
    (c.build_min_p, c.MinPConfig, min_p, {"p": 0.1}),
    (c.build_min_p, c.MinPConfig, min_p, {"p": 0.9, "keep": 4}),
    (c.build_typical, c.TypicalConfig, typical, {"mass": 0.3}),
    (c.build_typical, c.TypicalConfig, typical, {"mass": 0.95}),
    (c.build_top_n_sigma, c.TopNSigmaConfig, top_n_sigma, {"n": 1.0}),
    (c.build_top_n_sigma, c.TopNSigmaConfig, top_n_sigma, {"n": 2.5}),
    (
        c.build_dynamic_temperature,
        c.DynamicTemperatureConfig,
        dynamic_temperature,
        {"least": 0.1, "most": 1.2},
    ),
    *(
        (c.build_repetition_penalty, c.RepetitionPenaltyConfig, repetition_penalty, options)
        for options in (
            {"factor": 1.5, "decay": 0.0, "window": 0},
            {"factor": 1.5, "decay": 0.7, "window": 5},
            {"factor": 0.8, "decay": 2.0, "window": 50},
        )
    ),
    (c.build_length_penalty, c.LengthPenaltyConfig, length_penalty, {"factor": 0.5}),
    (c.build_length_penalty, c.LengthPenaltyConfig, length_penalty, {"factor": -1.0}),
    *(
        (
            old.build_legacy_repetition_penalty,
            old.LegacyRepetitionPenaltyConfig,
            legacy_repetition_penalty,
            options,
        )
        for options in (
            {"factor": 1.5, "decay": 0.0, "window": 0},
            {"factor": 0.8, "decay": 0.5, "window": 7},
        )
    ),
    *(
        (
            old.build_legacy_length_penalty,
            old.LegacyLengthPenaltyConfig,
            legacy_length_penalty,
            {"factor": factor},
        )
        for factor in (0.5, -1.0)
    ),
    (c.build_stop_ban, c.StopBanConfig, stop_ban, {"frames": 0}),
    (c.build_stop_ban, c.StopBanConfig, stop_ban, {"frames": 5}),
    (c.build_stop_ban, c.StopBanConfig, stop_ban, {"frames": 13}),
]


@pytest.mark.parametrize(("build", "config", "formula", "options"), FORMULAS)
@pytest.mark.parametrize("spread", [0.5, 4.0])
def test_a_processor_does_what_its_formula_says(build, config, formula, options, spread):
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(8, 30, generator=generator, dtype=torch.float64) * spread
    logits[2, 5:20] = -INF
    history = torch.randint(30, (8, 12), generator=generator)
    told = {("keep_most" if name == "keep" else name): value for name, value in options.items()}
    expected = [
        formula(row, past, **told)
        for row, past in zip(logits.tolist(), history.tolist(), strict=True)
    ]
    changed = build(config(**options))(history, logits.float())
    torch.testing.assert_close(changed, torch.tensor(expected), rtol=1e-4, atol=1e-4)


rows = st.lists(
    st.lists(st.floats(-30, 30, width=32) | st.just(-INF), min_size=7, max_size=7).filter(
        lambda row: any(x > -INF for x in row)
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize(("build", "config", "formula", "options"), FORMULAS)
@settings(max_examples=20)
@given(rows=rows, data=st.data())
def test_a_processor_leaves_each_row_a_token_and_looks_at_no_other_row(
    build, config, formula, options, rows, data
):
    length = data.draw(st.integers(0, 14))
    past = st.lists(st.integers(0, 6), min_size=length, max_size=length)
    history = torch.tensor([data.draw(past) for _ in rows], dtype=torch.long)
    logits = torch.tensor(rows)
    before = history.clone(), logits.clone()
    sampler = build(config(**options))
    changed = sampler(history, logits)
    assert torch.equal(history, before[0])
    assert torch.equal(logits, before[1])
    assert changed.isfinite().any(-1).all()
    assert not (changed.isnan() | changed.isposinf()).any()
    assert (changed.isneginf() | before[1].isfinite()).all()  # what was impossible stays so
    for i in range(len(rows)):
        alone = sampler(history[i : i + 1], logits[i : i + 1])
        torch.testing.assert_close(alone, changed[i : i + 1])


def warpers():
    from transformers import (
        MinPLogitsWarper,
        RepetitionPenaltyLogitsProcessor,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
        TypicalLogitsWarper,
    )

    for t in (0.3, 1.0, 1.7):
        yield c.build_temperature(c.TemperatureConfig(t=t)), TemperatureLogitsWarper(t)
    for k in (1, 3, 12, 400):
        yield c.build_top_k(c.TopKConfig(k=k)), TopKLogitsWarper(k)
    for p in (0.01, 0.5, 0.9, 0.999):
        yield c.build_top_p(c.TopPConfig(p=p)), TopPLogitsWarper(p)
        yield c.build_typical(c.TypicalConfig(mass=p)), TypicalLogitsWarper(p)
        yield c.build_min_p(c.MinPConfig(p=p, keep=5)), MinPLogitsWarper(p, min_tokens_to_keep=5)
    for factor in (0.7, 1.0, 1.3):
        penalty = c.build_repetition_penalty(c.RepetitionPenaltyConfig(factor=factor))
        yield penalty, RepetitionPenaltyLogitsProcessor(factor)


@pytest.mark.slow  # transformers takes seconds to import
def test_processors_equal_those_of_transformers():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(8, 100, generator=generator) * 3
    logits[2, 5:60] = -INF
    history = torch.randint(100, (8, 14), generator=generator)
    for ours, theirs in warpers():
        torch.testing.assert_close(ours(history, logits), theirs(history, logits.clone()))


def test_a_penalty_never_makes_an_unlikely_token_likelier():
    sampler = c.build_repetition_penalty(c.RepetitionPenaltyConfig(factor=1.5))
    changed = sampler(torch.tensor([[0, 1]]), torch.tensor([[-2.0, 2.0, 0.5]]))
    torch.testing.assert_close(changed, torch.tensor([[-3.0, 2.0 / 1.5, 0.5]]))


def test_the_stop_token_is_left_where_nothing_else_is():
    logits = torch.tensor([[-INF, -INF, 0.0], [1.0, -INF, 0.0]])
    changed = c.build_stop_ban(c.StopBanConfig())(NO_HISTORY.expand(2, -1), logits)
    assert changed.tolist() == [[-INF, -INF, 0.0], [1.0, -INF, -INF]]


def test_sigma_does_not_count_what_was_dropped_before():
    kept = c.build_top_n_sigma(c.TopNSigmaConfig(n=1.0))(
        NO_HISTORY, torch.tensor([[3.0, 2.9, 0.0, -INF]])
    )
    assert kept.isfinite().tolist() == [[True, True, False, False]]


def test_temperatures_out_of_order_are_refused():
    with pytest.raises(ConfigError, match=r"most \(0.5\) is below least \(1.0\)"):
        c.DynamicTemperatureConfig(least=1.0, most=0.5)


def test_thresholds_out_of_order_are_refused():
    with pytest.raises(ConfigError, match="must ascend"):
        c.EntropixConfig(low=4.0)


class SlowMirostat:
    """One row, as the paper's two algorithms are printed, with the authors' top 100 and k + 1."""

    def __init__(self, version, tau, eta):
        self.version, self.tau, self.eta = version, tau, eta
        self.mu = 2 * tau

    def kept(self, row):
        ranked = sorted(((p, i) for i, p in enumerate(softmax(row))), key=lambda pair: -pair[0])
        if self.version == 2:
            kept = {i for p, i in ranked if p and -math.log2(p) <= self.mu}
            return kept | {ranked[0][1]}
        above = below = 0.0
        for i in range(1, min(100, len(row))):
            t, b = math.log((i + 1) / i), math.log(ranked[i - 1][0] / ranked[i][0])
            above, below = above + t * b, below + t * t
        s = above / below
        epsilon = s - 1
        k = (epsilon * 2**self.mu / (1 - len(row) ** -epsilon)) ** (1 / s)
        return {i for _, i in ranked[: round(k) + 1]}

    def saw(self, row, token):
        self.mu -= self.eta * (-math.log2(softmax(row)[token]) - self.tau)


@pytest.mark.parametrize(("build", "version"), [(c.build_mirostat_v1, 1), (c.build_mirostat_v2, 2)])
def test_mirostat_does_what_its_algorithm_says(build, version):
    generator = torch.Generator().manual_seed(0)
    sampler = build(c.MirostatConfig(tau=2.5, eta=0.3))
    slow = [SlowMirostat(version, 2.5, 0.3) for _ in range(3)]
    for step in range(15):
        logits = torch.randn(len(slow), 200, generator=generator) * 2
        generators = [torch.Generator().manual_seed(100 * step + i) for i in range(len(slow))]
        masked = torch.full_like(logits, -INF)
        for i, (row, one) in enumerate(zip(logits.double().tolist(), slow, strict=True)):
            kept = sorted(one.kept(row))
            masked[i, kept] = logits[i, kept]
        expected = draw_categorical(masked, [g.clone_state() for g in generators])
        history = torch.zeros(len(slow), step, dtype=torch.long)
        tokens = sampler.draw(history, logits, generators)
        assert torch.equal(tokens, expected)
        for one, row, token in zip(slow, logits.double().tolist(), tokens.tolist(), strict=True):
            one.saw(row, token)
        assert sampler.limit.tolist() == pytest.approx([one.mu for one in slow], abs=1e-3)
        if step == 7:  # a row ends, the others change places
            sampler.select(torch.tensor([2, 0]))
            slow = [slow[2], slow[0]]


@pytest.mark.parametrize("build", [c.build_mirostat_v1, c.build_mirostat_v2])
def test_mirostat_keeps_the_surprise_near_its_aim(build):
    generator = torch.Generator().manual_seed(1)
    sampler, own = build(c.MirostatConfig(tau=3.0, eta=0.2)), [torch.Generator().manual_seed(2)]
    surprises = []
    for step in range(300):
        logits = torch.randn(1, 500, generator=generator) * 2
        token = sampler.draw(torch.zeros(1, step, dtype=torch.long), logits, own)
        surprises.append(float(-logits.log_softmax(-1)[0, token] / math.log(2)))
    assert sum(surprises[50:]) / 250 == pytest.approx(3.0, abs=0.2)


def test_impossible_tokens_are_not_part_of_zipfs_law():
    surprise = torch.rand(1, 60, generator=torch.Generator().manual_seed(0)).sort().values * 9
    padded = torch.nn.functional.pad(surprise, (0, 40), value=INF)
    limit = torch.tensor([4.0])
    assert zipf_count(padded, limit, 200).equal(zipf_count(surprise, limit, 200))


def test_mirostat_says_who_forgot_to_tell_it_of_rows_that_left():
    sampler = c.build_mirostat_v2(c.MirostatConfig())
    logits, generators = torch.zeros(2, 5), [torch.Generator(), torch.Generator()]
    sampler.draw(NO_HISTORY.expand(2, -1), logits, generators)
    with pytest.raises(ValueError, match="has state for 2 rows but got 1: call select"):
        sampler.draw(NO_HISTORY, logits[:1], generators[:1])


def slow_entropix(row, generator):
    """The cases of the original without its attention terms, with its default options."""
    probabilities = softmax(row)
    entropy = -sum(p * math.log2(p) for p in probabilities if p)
    varentropy = sum(p * (math.log2(p) + entropy) ** 2 for p in probabilities if p)
    t, p, share, adaptive = 0.666, 0.9, 0.0, False
    if entropy < 0.1 and varentropy < 0.1:
        return "sure", row.index(max(row))
    if entropy > 3 and varentropy < 0.1:
        case, t = "unsure", t * 1.3
    elif entropy < 5 and varentropy > 5:
        case, t = "forked", t * 1.2
    elif entropy > 3 and varentropy > 5:
        case, t, p = "lost", t * 2, 0.7
    else:
        case, adaptive = "adaptive", True
        t *= 1 + 0.3 * (entropy + varentropy)
        share = min(0.5, max(0.01, 0.03 * (1 - 0.5 * (entropy + varentropy))))
    warm = [x / min(1.25, max(0.5, t)) for x in row]
    after = softmax(warm)
    kept, held = set(), 0.0
    for rank, i in enumerate(sorted(range(len(row)), key=lambda i: -warm[i])):
        if held < p and rank < 27 and after[i] >= share * max(after):
            kept.add(i)
        held += after[i]
    masked = torch.tensor([keep(warm, kept)])
    drawn = [int(draw_categorical(masked, [generator])) for _ in range(5)]
    return case, max(drawn, key=lambda i: row[i]) if adaptive else drawn[0]


def test_entropix_does_what_its_cases_say():
    generator = torch.Generator().manual_seed(0)
    few = torch.full((300,), -9.0)
    few[:3] = torch.tensor([4.0, 4.1, 4.2])
    kinds = [
        torch.cat([torch.tensor([30.0]), torch.zeros(299)]),
        torch.zeros(300) + torch.randn(300, generator=generator) * 0.05,
        torch.cat([torch.tensor([7.5]), torch.randn(299, generator=generator)]),
        torch.randn(300, generator=generator) * 3.5,
        torch.cat([torch.tensor([4.0]), torch.randn(299, generator=generator) * 2.0]),
        few,
    ]
    logits = torch.stack(kinds)
    sampler, seen = c.build_entropix(c.EntropixConfig()), set()
    for seed in range(20):
        generators = [torch.Generator().manual_seed(seed + i) for i in range(len(kinds))]
        expected = []
        for row, own in zip(logits.double().tolist(), generators, strict=True):
            case, token = slow_entropix(row, own.clone_state())
            seen.add(case)
            expected.append(token)
        drawn = sampler.draw(NO_HISTORY.expand(len(kinds), -1), logits, generators)
        assert drawn.tolist() == expected
    assert seen == {"sure", "unsure", "forked", "lost", "adaptive"}
