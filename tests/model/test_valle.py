import random

import pytest
import torch
from attrs import evolve

from vall_e.config.model import ModelConfig
from vall_e.decoding.ar.loop import decode_ar
from vall_e.decoding.nar.loop import decode_nar
from vall_e.errors import CheckpointError, ConfigError
from vall_e.interfaces.task import Sample
from vall_e.model.embedding import ModelSizes
from vall_e.model.level_sampling import level_sampler
from vall_e.model.sequence import Example
from vall_e.model.valle import build_valle
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

SIZES = ModelSizes(levels=4, codebook_size=16, vocabulary=12, languages=2)
TASK = Tts(TtsConfig())


class Greedy:
    def draw(self, history, logits, generators):
        return logits.argmax(-1)


class Never(Greedy):
    """Greedy among the codes: never stops."""

    def draw(self, history, logits, generators):
        return logits[:, :16].argmax(-1)


@pytest.fixture
def config(registry) -> ModelConfig:
    return tiny_config(registry).model


@pytest.fixture
def model(config):
    return _model(config)


def _model(config: ModelConfig):
    torch.manual_seed(0)
    return build_valle(config, SIZES).eval()


def _sample(seed: int = 0, *, phonemes: int = 6, prompt: int = 5, frames: int = 7) -> Sample:
    generator = torch.Generator().manual_seed(seed)

    def codes(size):
        return torch.randint(0, 16, (4, size), generator=generator)

    text = torch.randint(0, 12, (phonemes,), generator=generator)
    return Sample(text, 1, codes(prompt) if prompt else None, codes(frames))


def _example(sample: Sample, level: int) -> Example:
    return Example(tuple(TASK.segments(sample, level=level)), level)


def _start(sample: Sample) -> Sample:
    return evolve(sample, response=torch.empty(1, 0, dtype=torch.long))


def test_a_batch_of_mixed_levels_weighs_every_token_alike(model):
    examples = [_example(_sample(seed), level) for seed, level in enumerate([0, 0, 1, 3])]
    together = model.loss(examples)
    alone = [model.loss([example]) for example in examples]
    mean = sum(loss.total * loss.tokens for loss in alone) / sum(loss.tokens for loss in alone)
    torch.testing.assert_close(together.total, mean)
    assert together.tokens == 8 + 8 + 7 + 7  # the AR stage predicts its stop token too


def test_the_loss_is_the_entropy_of_a_guess_at_first(model):
    loss = model.loss([_example(_sample(), 0)])
    assert loss.total.item() == pytest.approx(torch.tensor(17.0).log().item(), abs=0.3)


def test_the_target_level_is_not_among_the_inputs(model):
    sample = _sample()
    for level in range(1, 4):
        changed = sample.response.clone()
        changed[level:] = (changed[level:] + 1) % 16
        plain, _, _ = model.hidden([_example(sample, level)])
        other, _, _ = model.hidden([_example(evolve(sample, response=changed), level)])
        torch.testing.assert_close(plain, other)


def test_the_lower_levels_are_among_the_inputs(model):
    sample = _sample()
    changed = sample.response.clone()
    changed[0] = (changed[0] + 1) % 16
    plain, _, _ = model.hidden([_example(sample, 3)])
    other, _, _ = model.hidden([_example(evolve(sample, response=changed), 3)])
    assert not torch.allclose(plain, other)


def test_inputs_count_where_they_are_asked_for(config):
    known = _model(evolve(config, embedding_sums=False, prompt_levels="known"))
    example = _example(_sample(), 0)
    assert known.loss([example], ignore_inputs=False).tokens == 8 + 5 + 1 + 1 + 5


@pytest.mark.parametrize("positions", ["segment", "unified"])
@pytest.mark.parametrize("sums", [True, False])
def test_cached_steps_equal_one_pass(config, positions, sums):
    """Greedy decoding, then the whole of it in one pass: the same choice at every frame."""
    model = _model(evolve(config, positions=positions, embedding_sums=sums, text_stride=3))
    samples = [_start(_sample(0)), _start(_sample(1, phonemes=9, prompt=0))]
    written = decode_ar(
        model, TASK, samples, draw=Never(), generators=[None, None], max_frames=[12, 9]
    )
    for sample, row in zip(samples, written, strict=True):
        full = _example(evolve(sample, response=row.level_0[None].clone()), 0)
        states, _, _ = model.hidden([full])
        frames = len(row.level_0)
        again = model.logits(states[0, -frames - 1 : -1], 0)[:, :16].argmax(-1)
        assert again.equal(row.level_0)
    assert [len(row.level_0) for row in written] == [12, 9]
    assert not any(row.ended for row in written)


def test_a_request_is_the_same_alone_and_in_a_batch(model):
    samples = [_start(_sample(seed, phonemes=4 + seed, prompt=seed)) for seed in range(4)]
    together = decode_ar(
        model, TASK, samples, draw=Never(), generators=[None] * 4, max_frames=[5, 9, 3, 7]
    )
    for sample, frames, row in zip(samples, [5, 9, 3, 7], together, strict=True):
        alone = decode_ar(
            model, TASK, [sample], draw=Never(), generators=[None], max_frames=[frames]
        )
        assert alone[0].level_0.equal(row.level_0)


def test_the_stop_token_ends_a_row_and_is_not_written(model):
    class StopsThird(Never):
        def draw(self, history, logits, generators):
            tokens = super().draw(history, logits, generators)
            return tokens if history.shape[1] < 3 else torch.full_like(tokens, 16)

    written = decode_ar(
        model, TASK, [_start(_sample())], draw=StopsThird(), generators=[None], max_frames=[9]
    )
    assert len(written[0].level_0) == 3
    assert written[0].ended


def test_decoding_continues_from_given_frames(model):
    sample = _start(_sample())
    whole = decode_ar(model, TASK, [sample], draw=Never(), generators=[None], max_frames=[8])
    head = evolve(sample, response=whole[0].level_0[None, :3].clone())
    rest = decode_ar(model, TASK, [head], draw=Never(), generators=[None], max_frames=[5])
    assert rest[0].level_0.equal(whole[0].level_0[3:])


def test_nar_fills_the_missing_levels_and_keeps_the_known(model):
    samples = [evolve(_sample(seed, frames=5 + seed)) for seed in range(2)]
    known = [evolve(s, response=s.response[:1]) for s in samples]
    filled = decode_nar(model, TASK, known, draw=Greedy(), generators=[None, None], levels=4)
    for sample, codes in zip(samples, filled, strict=True):
        assert codes.shape == sample.response.shape
        assert codes[0].equal(sample.response[0])
    alone = decode_nar(model, TASK, known[:1], draw=Greedy(), generators=[None], levels=3)
    assert alone[0].equal(filled[0][:3])


def test_a_model_does_only_what_it_is_capable_of(config):
    model = _model(evolve(config, capabilities=("nar",)))
    with pytest.raises(CheckpointError, match="not trained for ar"):
        model.loss([_example(_sample(), 0)])


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_dropout_is_of_the_embedded_sequence_while_training(config, dropout):
    model = _model(evolve(config, dropout=dropout))
    seen = []
    model.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for mode in (False, True):
        model.train(mode).hidden([_example(_sample(), 0)])
    spoken, trained = seen
    dropped = (trained == 0).float().mean().item()
    assert dropped == pytest.approx(dropout, abs=0.1)
    kept = trained != 0
    torch.testing.assert_close(trained[kept], spoken[kept] / (1 - dropout))


def test_nar_needs_a_second_level(config):
    with pytest.raises(ConfigError, match="two or more levels"):
        build_valle(config, evolve(SIZES, levels=1))


def test_it_learns_a_batch_by_heart(model):
    examples = [_example(_sample(seed), level) for seed, level in [(0, 0), (1, 0), (0, 2), (1, 3)]]
    optimizer = torch.optim.AdamW(model.train().parameters(), 1e-2)
    for _ in range(60):
        loss = model.loss(examples)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
    assert loss.total.item() < 0.05
    assert loss.accuracy["ar"].item() == 1.0
    sample = _start(_sample(0))
    written = decode_ar(
        model.eval(), TASK, [sample], draw=Greedy(), generators=[None], max_frames=[20]
    )
    assert written[0].level_0.equal(_sample(0).response[0])
    assert written[0].ended


@pytest.mark.parametrize(
    ("weights", "capabilities", "levels"),
    [
        ("auto", ["ar", "nar"], {0, 1, 2, 3}),
        ("equal", ["nar"], {1, 2, 3}),
        ("normal", ["ar", "nar"], {0, 1, 2, 3}),
        ("auto", ["ar"], {0}),
        ((0, 0, 2), ["ar", "nar"], {0, 2}),
    ],
)
def test_levels_are_drawn_from_what_the_model_can_do(weights, capabilities, levels):
    draw, rng = level_sampler(weights, 4, capabilities), random.Random(0)
    drawn = [draw(rng) for _ in range(500)]
    assert set(drawn) == levels


def test_the_distributions_differ():
    rng = random.Random(0)
    shares = {
        name: sum(level_sampler(name, 8, ["ar", "nar"])(rng) == 0 for _ in range(4000)) / 4000
        for name in ("auto", "equal", "normal")
    }
    assert shares["auto"] == pytest.approx(8 / 36, abs=0.03)
    assert shares["equal"] == pytest.approx(1 / 8, abs=0.03)
    assert shares["normal"] < shares["equal"]


def test_a_level_that_cannot_be_trained_is_refused():
    with pytest.raises(ConfigError) as caught:
        level_sampler((0, 4), 4, ["ar", "nar"])
    assert "[4]" in caught.value.message
