import pytest
import torch

from vall_e.categorical import draw_categorical
from vall_e.errors import ConfigError
from vall_e.testing.contracts.sampler import SamplerContract
from vall_e_samplers import components as c
from vall_e_samplers import legacy_components as old
from vall_e_samplers.repetition_aware import RepetitionAware
from vall_e_samplers.top_k import TopK

NO_HISTORY = torch.zeros(1, 0, dtype=torch.long)


class TestGreedy(SamplerContract):
    def make(self):
        return c.build_greedy(c.GreedyConfig())

    def probabilities(self, history, logits):
        return torch.eye(logits.shape[-1])[logits.argmax(-1)]


class TestCategorical(SamplerContract):
    def make(self):
        return c.build_categorical(c.CategoricalConfig())

    def probabilities(self, history, logits):
        return logits.softmax(-1)


class TestTemperature(SamplerContract):
    def make(self):
        return c.build_temperature(c.TemperatureConfig(t=0.7))


class TestTopK(SamplerContract):
    def make(self):
        return c.build_top_k(c.TopKConfig(k=4))


class TestTopP(SamplerContract):
    def make(self):
        return c.build_top_p(c.TopPConfig(p=0.8))


class TestRepetitionAware(SamplerContract):
    def make(self):
        return c.build_repetition_aware(c.RepetitionAwareConfig())

    def probabilities(self, history, logits):
        """Algorithm 1 of the paper: what the nucleus repeats too often comes from everything."""
        options = c.RepetitionAwareConfig()
        everything = logits.softmax(-1)
        ranked, order = everything.sort(descending=True)
        kept = (ranked.cumsum(-1) - ranked < options.p).float().gather(-1, order.argsort())
        nucleus = everything * kept / (everything * kept).sum(-1, keepdim=True)
        recent = history[:, -options.window :]
        shares = torch.nn.functional.one_hot(recent, logits.shape[-1]).sum(1) / options.window
        repeats = shares > options.threshold
        escapes = (nucleus * repeats).sum(-1, keepdim=True)
        return nucleus * ~repeats + escapes * everything


class TestMinP(SamplerContract):
    def make(self):
        return c.build_min_p(c.MinPConfig(p=0.1))


class TestTypical(SamplerContract):
    def make(self):
        return c.build_typical(c.TypicalConfig(mass=0.8))


class TestTopNSigma(SamplerContract):
    def make(self):
        return c.build_top_n_sigma(c.TopNSigmaConfig())


class TestDynamicTemperature(SamplerContract):
    def make(self):
        return c.build_dynamic_temperature(c.DynamicTemperatureConfig(least=0.3))


class TestRepetitionPenalty(SamplerContract):
    reorders = True

    def make(self):
        return c.build_repetition_penalty(
            c.RepetitionPenaltyConfig(factor=1.3, decay=0.5, window=9)
        )


class TestLengthPenalty(SamplerContract):
    reorders = True

    def make(self):
        return c.build_length_penalty(c.LengthPenaltyConfig())


class TestStopBan(SamplerContract):
    reorders = True

    def make(self):
        return c.build_stop_ban(c.StopBanConfig(frames=3))


class TestMirostatV1(SamplerContract):
    def make(self):
        return c.build_mirostat_v1(c.MirostatConfig(tau=2.0))


class TestMirostatV2(SamplerContract):
    def make(self):
        return c.build_mirostat_v2(c.MirostatConfig(tau=2.0))


class TestEntropix(SamplerContract):
    def make(self):
        return c.build_entropix(c.EntropixConfig())


class TestLegacyRepetitionPenalty(SamplerContract):
    reorders = True

    def make(self):
        return old.build_legacy_repetition_penalty(
            old.LegacyRepetitionPenaltyConfig(factor=1.3, decay=0.5, window=9)
        )


class TestLegacyLengthPenalty(SamplerContract):
    reorders = True

    def make(self):
        return old.build_legacy_length_penalty(old.LegacyLengthPenaltyConfig())


class TestLegacyMirostat(SamplerContract):
    def make(self):
        return old.build_legacy_mirostat(old.LegacyMirostatConfig())


def test_every_component_builds_with_its_defaults():
    for component in c.vall_e_register_samplers():
        assert component.build(component.config()) is not None


def test_temperature_zero_is_sent_to_greedy():
    with pytest.raises(ConfigError, match=r"t must be above 0, got 0\.0") as caught:
        c.TemperatureConfig(t=0.0)
    assert caught.value.hint == "use greedy"


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (c.TopKConfig, {"k": 0}),
        (c.TopPConfig, {"p": 0.0}),
        (c.TopPConfig, {"p": 1.1}),
        (c.RepetitionAwareConfig, {"window": 0}),
        (c.MinPConfig, {"p": -0.1}),
        (c.MinPConfig, {"keep": 0}),
        (c.TypicalConfig, {"mass": 0.0}),
        (c.TopNSigmaConfig, {"n": 0.0}),
        (c.DynamicTemperatureConfig, {"least": 0.0}),
        (c.RepetitionPenaltyConfig, {"factor": 0.0}),
        (c.RepetitionPenaltyConfig, {"decay": -1.0}),
        (c.StopBanConfig, {"frames": -1}),
        (c.MirostatConfig, {"tau": 0.0}),
        (c.EntropixConfig, {"samples": 0}),
        (old.LegacyRepetitionPenaltyConfig, {"factor": 0.0}),
        (old.LegacyMirostatConfig, {"size": 1}),
        (c.RepetitionAwareConfig, {"threshold": -0.1}),
    ],
)
def test_senseless_options_are_refused(config, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        config(**options)


@pytest.mark.parametrize(
    "sampler", [c.build_top_p(c.TopPConfig(p=1.0)), c.build_typical(c.TypicalConfig(mass=1.0))]
)
def test_a_mass_of_one_keeps_everything(sampler):
    """Also what adds nothing to a sum that has rounded to 1."""
    logits = torch.tensor([[0.0, -40.0, 0.0, -50.0]])
    assert torch.equal(sampler(NO_HISTORY, logits), logits)


def test_top_k_keeps_what_ties_with_the_last():
    kept = TopK(c.TopKConfig(k=2))(NO_HISTORY, torch.tensor([[3.0, 1.0, 1.0, 0.0]]))
    assert kept.isfinite().tolist() == [[True, True, True, False]]


def draws_of(draw, rows=20_000):
    generator = torch.Generator().manual_seed(3)
    return torch.bincount(draw([generator] * rows), minlength=5)


def chi_square(counts, probabilities):
    expected = probabilities * counts.sum()
    return float(((counts - expected) ** 2 / expected).sum())


def test_draws_follow_the_probabilities():
    probabilities = torch.tensor([0.4, 0.3, 0.2, 0.09, 0.01])
    counts = draws_of(lambda g: draw_categorical(probabilities.log().expand(len(g), -1), g))
    assert chi_square(counts, probabilities) < 18.5  # 4 degrees of freedom: p = 0.001


def test_a_repeating_history_opens_the_whole_distribution():
    probabilities = torch.tensor([0.9, 0.04, 0.03, 0.02, 0.01])
    sampler = RepetitionAware(c.RepetitionAwareConfig(p=0.5))

    def draw(history):
        rows = torch.tensor([history])
        return draws_of(
            lambda g: sampler.draw(
                rows.expand(len(g), -1), probabilities.log().expand(len(g), -1), g
            )
        )

    assert draw([0, 1, 2, 3]).tolist() == [20_000, 0, 0, 0, 0]  # once in ten is calm
    assert draw([0, 0] + [4] * 10).tolist() == [20_000, 0, 0, 0, 0]  # outside of the window
    assert chi_square(draw([0, 0, 1, 2]), probabilities) < 18.5


def test_rows_and_generators_must_match():
    with pytest.raises(ValueError, match="2 rows need as many generators, got 1"):
        draw_categorical(torch.zeros(2, 3), [torch.Generator()])


def test_no_rows_draw_nothing():
    assert draw_categorical(torch.zeros(0, 3), []).shape == (0,)


def test_rows_of_one_generator_draw_the_same_beside_others():
    """The NAR stage draws all frames of a request from one generator."""
    logits = torch.randn(7, 50, generator=torch.Generator().manual_seed(0))
    alone = draw_categorical(logits[:4], [torch.Generator().manual_seed(5)] * 4)
    mine, other = torch.Generator().manual_seed(5), torch.Generator().manual_seed(6)
    together = draw_categorical(logits, [mine] * 4 + [other] * 3)
    assert torch.equal(together[:4], alone)
