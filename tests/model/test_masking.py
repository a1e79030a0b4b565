import random

import pytest
import torch
from attrs import evolve

from vall_e.decoding.guidance import Guidance
from vall_e.decoding.length import decode_lengths
from vall_e.decoding.masked import Canvas, Demasking, _logits, demask
from vall_e.errors import CheckpointError
from vall_e.interfaces.task import Sample
from vall_e.model.embedding import LENGTH_END, ModelSizes
from vall_e.model.level_sampling import level_sampler
from vall_e.model.masking import Masking, MaskSchedule
from vall_e.model.sequence import Example, Segment
from vall_e.model.valle import build_valle
from vall_e.tasks.len import Length
from vall_e.tasks.options import LengthConfig, TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

SIZES = ModelSizes(levels=2, codebook_size=16, vocabulary=12, languages=1)
TASK = Tts(TtsConfig(language=False))
LENGTH = Length(LengthConfig(language=False))
MASK = 16


@pytest.fixture
def config(registry):
    return evolve(tiny_config(registry).model, capabilities=("len", "nar"))


@pytest.fixture
def model(config):
    torch.manual_seed(0)
    return build_valle(config, SIZES).eval()


def _sample(seed: int) -> Sample:
    generator = torch.Generator().manual_seed(seed)
    text = torch.randint(4, 12, (5 + seed,), generator=generator)
    prompt = torch.randint(0, 16, (2, 5), generator=generator)
    response = torch.randint(0, 16, (2, 9 + 2 * seed), generator=generator)
    return Sample(text, 0, prompt, response)


def _example(task, sample, level=0):
    return Example(tuple(task.segments(sample, level=level)), level)


def _empty(sample):
    return evolve(sample, response=torch.empty(1, 0, dtype=torch.long))


def _demasked(model, samples, how=None, **options):
    return demask(
        model,
        TASK,
        [_empty(sample) for sample in samples],
        [sample.response.shape[1] for sample in samples],
        how=how or Demasking(steps=6),
        generators=[torch.Generator().manual_seed(i) for i in range(len(samples))],
        **options,
    )


@pytest.mark.parametrize("name", ["cosine", "linear"])
def test_everything_is_masked_at_first_and_nothing_at_last(name):
    shares = [MaskSchedule(name)(time / 10) for time in range(11)]
    assert shares[0] == 1
    assert shares[-1] == pytest.approx(0)
    assert shares == sorted(shares, reverse=True)


def test_masked_examples_hide_what_is_asked_for_and_nothing_else():
    example = _example(TASK, _sample(0))
    masking = Masking(MASK, share=1.0, times=(0.5, 0.5))
    made = masking(example, random.Random(0))
    shown, meant = made.target.ids
    assert meant.equal(_sample(0).response[0])
    assert made.predicted == (shown == MASK).sum() == 7  # cos(pi / 4) of nine, rounded up
    assert shown[shown != MASK].equal(meant[shown != MASK])
    assert made.segments[:-1] == example.segments[:-1]
    assert made.stage == "masked"
    late = Masking(MASK, share=1.0, times=(1.0, 1.0), schedule=MaskSchedule("linear"))
    assert late(example, random.Random(0)).predicted == 1  # something is always to be learnt
    later = _example(TASK, _sample(0), level=1)
    assert masking(later, random.Random(0)) is later


def test_a_share_of_level_0_is_masked(registry):
    example = _example(TASK, _sample(0))
    rng, masking = random.Random(0), Masking(MASK, share=0.3)
    made = [masking(example, rng).stage for _ in range(300)]
    assert 60 < made.count("masked") < 120
    config = tiny_config(registry)
    assert Masking.of(config, 16) is None
    alone = evolve(config, model=evolve(config.model, capabilities=("len", "nar")))
    assert Masking.of(alone, 16).share == 1.0
    options = {"masked": 0.3, "mask_times": (0.1, 0.9), "mask_schedule": "linear"}
    both = evolve(
        config,
        model=evolve(config.model, capabilities=("ar", "len")),
        training=evolve(config.training, **options),
    )
    assert Masking.of(both, 16) == Masking(16, 0.3, (0.1, 0.9), MaskSchedule("linear"))


def test_a_length_is_written_as_digits_between_its_ends():
    assert LENGTH.segments(_sample(2), level=0)[-1].ids.tolist() == [0, 1, 3, LENGTH_END]


def test_level_0_can_be_trained_by_models_that_fill_it_in():
    assert level_sampler("auto", 2, ["len"]).levels == (0,)
    assert level_sampler("auto", 2, ["len", "nar"]).levels == (0, 1)
    assert level_sampler("auto", 2, ["nar"]).levels == (1,)


def test_a_masked_frame_is_predicted_in_view_of_those_after_it(model):
    example = Masking(MASK, share=1.0, times=(0.5, 0.5))(
        _example(TASK, _sample(0)), random.Random(3)
    )
    changed = example.target.ids.clone()
    changed[0, -1] = (changed[0, -1] + 1) % 16
    other = evolve(example, segments=(*example.segments[:-1], evolve(example.target, ids=changed)))
    with torch.no_grad():
        first, second = (model.hidden([e])[0][0, -9] for e in (example, other))
    assert not first.allclose(second)


@pytest.mark.slow
def test_it_learns_a_batch_by_heart_and_fills_it_in_from_nothing(model):
    samples = [_sample(seed) for seed in range(3)]
    masking, rng = Masking(MASK, share=1.0), random.Random(0)
    optimizer = torch.optim.AdamW(model.train().parameters(), 5e-3)
    for _ in range(110):
        examples = [masking(_example(TASK, s), rng) for s in samples]
        examples += [_example(LENGTH, s) for s in samples]
        losses = model.loss(examples)
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
    assert losses.nll.keys() == {"masked", "length"}
    model.eval()
    assert decode_lengths(model, LENGTH, [_empty(s) for s in samples]) == [9, 11, 13]
    for codes, sample in zip(_demasked(model, samples), samples, strict=True):
        assert codes.equal(sample.response[0])
    ways = [
        Demasking(steps=6, choice="random"),
        Demasking(steps=6, revise=True),
        Demasking(steps=1),
    ]
    for how in ways:
        [codes] = _demasked(model, samples[:1], how)
        assert codes.equal(samples[0].response[0])


def test_a_row_is_filled_in_the_same_alone_as_in_a_batch(model):
    samples = [_sample(seed) for seed in range(3)]
    how = Demasking(steps=5, temperature=1.0)
    guidance = Guidance(3.0, ("text", "prompt"), 0.5)
    together = _demasked(model, samples, how, guidance=guidance)
    alone = demask(
        model,
        TASK,
        [_empty(samples[1])],
        [11],
        how=how,
        generators=[torch.Generator().manual_seed(1)],
        guidance=guidance,
    )
    assert alone[0].equal(together[1])
    assert all(int(codes.max()) < MASK for codes in together)


def test_a_draft_that_is_taken_up_late_stays_but_for_a_few_frames(model):
    draft = _sample(0).response[0]
    kept = []
    for start in (0.0, 0.5, 0.9):
        how = Demasking(steps=10, start=start)
        [codes] = _demasked(model, [_sample(0)], how, drafts=[draft])
        kept.append(int((codes == draft).sum()))
    assert kept[2] >= 8  # one of nine is masked
    assert kept[0] < kept[2]
    assert how.times() == [pytest.approx(0.9)]
    with pytest.raises(ValueError, match="needs a draft for each sample"):
        _demasked(model, [_sample(0)] * 2, how, drafts=[draft, None])


def test_kept_codes_are_masked_again_only_where_they_are_judged_again():
    how = Demasking(revise=False)
    canvas = Canvas.of(4, None, torch.Generator())
    canvas.shown(4, MASK)
    sure = torch.tensor([9.0, 1.0, 5.0, 3.0])[:, None] * torch.eye(4, 16)[[0, 1, 2, 3]]
    canvas.fill(sure, how, 0.0)
    assert canvas.shown(2, MASK).tolist() == [0, MASK, 2, MASK]
    canvas.fill(sure.roll(1, -1), how, 0.5)
    assert canvas.codes.tolist() == [0, 2, 2, 4]
    assert set(canvas.shown(1, MASK).tolist()) == {0, 2, MASK, 4}
    assert canvas.places.tolist() == [1]


def test_codes_that_were_kept_go_where_they_are_doubted_later():
    how, canvas = Demasking(revise=True), Canvas.of(3, None, torch.Generator())
    canvas.shown(3, MASK)
    sure = torch.tensor([9.0, 1.0, 5.0])[:, None] * torch.eye(3, 16)
    canvas.fill(sure, how, 0.0)
    assert canvas.shown(1, MASK).tolist() == [0, MASK, 2]
    canvas.fill(torch.eye(3, 16) * torch.tensor([[-9.0], [1.0], [5.0]]), how, 0.5)
    assert canvas.shown(1, MASK).tolist() == [MASK, 1, 2]


@torch.no_grad()
def test_the_frames_of_a_request_are_guided_together(model):
    """What a pass over frames of which some are masked draws from, beside the same by hand."""
    sample, guidance = _sample(2), Guidance(3.0, rescale=1.0)
    shown = torch.where(torch.arange(13) % 2 == 0, sample.response[0], MASK)
    [found] = _logits(model, TASK, [_empty(sample)], [shown], guidance)
    sides = []
    for side in guidance.sides([_empty(sample)]):
        segments = (*TASK.segments(side, level=0)[:-1], Segment("masked", shown[None]))
        sides.append(model.masked_logits(model.hidden([Example(segments, 0)])[0][0, -13:]))
    torch.testing.assert_close(found, guidance.of_one(torch.cat(sides)))


def test_without_the_capability_nothing_is_filled_in(config):
    model = build_valle(evolve(config, capabilities=("ar", "nar")), SIZES)
    with pytest.raises(CheckpointError, match="not trained for len"):
        _demasked(model, [_sample(0)])
    with pytest.raises(CheckpointError, match="not trained for len"):
        model.loss([_example(LENGTH, _sample(0))])


def test_a_single_head_does_for_all(config):
    model = build_valle(evolve(config, heads="single"), SIZES).eval()
    examples = [_example(LENGTH, _sample(0))]
    examples.append(Masking(MASK, share=1.0)(_example(TASK, _sample(0)), random.Random(0)))
    assert model.loss(examples).total.isfinite()
    assert not any(name.startswith(("heads.masked", "heads.length")) for name in model.state_dict())
