import pytest
import torch
from attrs import evolve

from vall_e.decoding.ar.loop import decode_ar
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.decoding.nar.loop import decode_nar
from vall_e.interfaces.task import Sample
from vall_e.model.embedding import ModelSizes
from vall_e.model.sequence import Example, without
from vall_e.model.valle import build_valle
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

SIZES = ModelSizes(levels=4, codebook_size=16, vocabulary=12, languages=1)
TASK = Tts(TtsConfig())


class Greedy:
    """Draws the likeliest code, or the likeliest token where it may stop."""

    def __init__(self, *, stops: bool = False) -> None:
        self.classes = 17 if stops else 16

    def draw(self, history, logits, generators):
        return logits[:, : self.classes].argmax(-1)


@pytest.fixture
def model(registry):
    torch.manual_seed(0)
    return build_valle(tiny_config(registry).model, SIZES).eval()


def _sample(seed: int = 0) -> Sample:
    generator = torch.Generator().manual_seed(seed)
    text = torch.randint(4, 12, (5 + seed,), generator=generator)
    prompt = torch.randint(0, 16, (4, 5), generator=generator)
    return Sample(text, 0, prompt, torch.empty(1, 0, dtype=torch.long))


def _written(model, samples, guidance, *, frames=6, stops=False):
    written = decode_ar(
        model,
        TASK,
        samples,
        draw=Greedy(stops=stops),
        generators=[torch.Generator()] * len(samples),
        max_frames=[frames + i for i in range(len(samples))],
        guidance=guidance,
    )
    return [w.level_0.tolist() for w in written]


@torch.no_grad()
def _by_hand(model, sample, scale, frames, left_out=("text",)):
    """Greedy guided decoding without a cache, a full pass a frame and side."""
    response: list[int] = []
    for _ in range(frames):
        sides = []
        for side in (sample, without(sample, left_out)):
            side = evolve(side, response=torch.tensor([response], dtype=torch.long))
            states, _, _ = model.hidden([Example(tuple(TASK.segments(side, level=0)), 0)])
            sides.append(model.logits(states[0, -1], 0).log_softmax(-1))
        told, free = sides
        response.append(int((free + scale * (told - free))[:16].argmax()))
    return response


def test_a_scale_of_one_takes_no_second_row_and_changes_nothing():
    logits = torch.randn(3, 17)
    assert UNGUIDED.count == 1
    assert UNGUIDED(logits) is logits


def test_a_scale_of_two_counts_what_the_text_adds_twice():
    told, free = torch.tensor([[0.7, 0.3]]).log(), torch.tensor([[0.5, 0.5]]).log()
    guided = Guidance(2.0)(torch.cat([told, free]))
    expected = torch.tensor([[0.5 * 1.4**2, 0.5 * 0.6**2]])
    torch.testing.assert_close(guided.exp(), expected)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_guided_decoding_agrees_with_full_passes_over_both_sides(model, scale):
    [codes] = _written(model, [_sample()], Guidance(scale))
    assert codes == _by_hand(model, _sample(), scale, 6)


@pytest.mark.parametrize("left_out", [("prompt",), ("text", "prompt")])
def test_the_free_side_can_lack_the_prompt(model, left_out):
    samples = [_sample(1), evolve(_sample(2), prompt=None)]
    guidance = Guidance(20.0, left_out)
    together = _written(model, samples, guidance)
    for i, sample in enumerate(samples):
        assert together[i] == _by_hand(model, sample, 20.0, 6 + i, left_out)
    told = [evolve(sample, prompt_text=sample.text) for sample in samples]
    free = guidance.sides(told)[2]
    assert free.prompt is None
    assert free.prompt_text is None  # what the prompt says belongs to it
    assert (len(free.text) == 2) == ("text" in left_out)


def test_a_request_without_a_prompt_is_not_changed_by_guidance_that_leaves_it_out(model):
    sample = evolve(_sample(), prompt=None)
    guidance = Guidance(20.0, ("prompt",))
    assert _written(model, [sample], guidance) == _written(model, [sample], UNGUIDED)


def test_rescaling_wholly_gives_each_row_the_spread_it_has_without_guidance():
    logits = torch.randn(6, 17, dtype=torch.double)
    guided = Guidance(4.0, rescale=1.0)(logits)
    torch.testing.assert_close(guided.std(-1), logits[:3].std(-1))
    torch.testing.assert_close(guided.argmax(-1), Guidance(4.0)(logits).argmax(-1))
    half = Guidance(4.0, rescale=0.5)(logits)
    torch.testing.assert_close(half, (guided + Guidance(4.0)(logits)) / 2)


def test_the_frames_of_one_request_are_rescaled_together():
    logits = torch.randn(6, 17, dtype=torch.double)
    guided = Guidance(4.0, rescale=1.0).of_one(logits)
    torch.testing.assert_close(guided.std(), logits[:3].std())
    assert not torch.allclose(guided.std(-1), logits[:3].std(-1))


def test_guidance_can_change_what_is_said(model):
    assert _written(model, [_sample(1)], Guidance(20.0)) != _written(model, [_sample(1)], UNGUIDED)


def test_a_guided_request_is_the_same_alone_as_in_a_batch_that_ends_row_by_row(model):
    samples = [_sample(seed) for seed in range(3)]
    together = _written(model, samples, Guidance(3.0))
    alone = [
        _written(model, [sample], Guidance(3.0), frames=6 + i)[0]
        for i, sample in enumerate(samples)
    ]
    assert together == alone
    assert [len(codes) for codes in together] == [6, 7, 8]


def test_rows_without_text_keep_their_own_positions_when_others_leave(registry):
    """Where positions run on, a row without text is fewer positions on than the one with it."""
    torch.manual_seed(0)
    config = evolve(tiny_config(registry).model, positions="unified")
    model = build_valle(config, SIZES).eval()
    samples = [_sample(seed) for seed in range(3)]
    together = _written(model, samples, Guidance(50.0))
    for i, sample in enumerate(samples):
        assert together[i] == _by_hand(model, sample, 50.0, 6 + i)


def test_the_other_levels_are_guided_alike(model):
    samples = [evolve(_sample(i), response=torch.tensor([[1, 2, 3, 4 + i]])) for i in range(2)]

    def filled(rows, guidance):
        draw = Greedy()
        generators = [torch.Generator()] * len(rows)
        return decode_nar(
            model, TASK, rows, draw=draw, generators=generators, levels=2, guidance=guidance
        )

    together = filled(samples, Guidance(50.0))
    for codes, sample in zip(together, samples, strict=True):
        sides = []
        for side in (sample, without(sample, ["text"])):
            states, _, _ = model.hidden([Example(tuple(TASK.segments(side, level=1)), 1)])
            sides.append(model.logits(states[0, -4:], 1).log_softmax(-1))
        guided = sides[1] + 50.0 * (sides[0] - sides[1])
        assert codes[1].tolist() == guided[:, :16].argmax(-1).tolist()
    assert [c.tolist() for c in filled(samples, UNGUIDED)] != [c.tolist() for c in together]


@torch.no_grad()
def test_the_frames_of_a_level_are_rescaled_together(model):
    seen, guidance = [], Guidance(30.0, rescale=1.0)
    sample = evolve(_sample(), response=torch.tensor([[1, 2, 3, 4]]))

    class Seeing(Greedy):
        def draw(self, history, logits, generators):
            seen.append(logits)
            return super().draw(history, logits, generators)

    decode_nar(
        model,
        TASK,
        [sample],
        draw=Seeing(),
        generators=[torch.Generator()],
        levels=2,
        guidance=guidance,
    )
    sides = []
    for side in guidance.sides([sample]):
        states, _, _ = model.hidden([Example(tuple(TASK.segments(side, level=1)), 1)])
        sides.append(model.logits(states[0, -4:], 1))
    torch.testing.assert_close(seen[0], guidance.of_one(torch.cat(sides)))
