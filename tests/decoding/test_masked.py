"""Speaking by a model that fills in level 0; what it fills in with is in `tests/model`."""

import pytest
import torch

from vall_e.config.synthesis import DemaskConfig
from vall_e.decoding.ar.stopping import Bounds
from vall_e.decoding.compatibility import REQUEST_RULES, RequestFacts, require
from vall_e.decoding.job import Job
from vall_e.decoding.length import FrameSpan, spans_of
from vall_e.decoding.masked import Canvas, Demasking
from vall_e.errors import CheckpointError, ConfigError
from vall_e.interfaces.task import Sample
from vall_e.model.masking import MaskSchedule
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.request import Request
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.tasks.components import build_cse
from vall_e.tasks.options import EditingConfig
from vall_e.testing.fakes.tiny_model import tiny_bundle

BACKBONE = {"name": "llama", "d_model": 32, "layers": 2, "heads": 2}


@pytest.fixture(scope="module")
def filling(registry, codec):
    """An untrained model; keywords are options of `sampling`."""

    def make(capabilities=("len", "nar"), tasks=("tts", "len"), synthesis=None, **sampling):
        bundle = tiny_bundle(
            registry,
            codec,
            model={"backbone": BACKBONE, "capabilities": list(capabilities)},
            tasks=list(tasks),
            sampling=sampling,
            synthesis={"max_seconds": 0.2, "seconds_per_symbol": [0.0, 0.25], **(synthesis or {})},
        )
        return Synthesizer(Parts.of(bundle, codec), device="cpu")

    return make


def test_a_model_without_an_ar_stage_speaks(filling, tone):
    synthesizer = filling(demask={"steps": 4, "temperature": 1.0})
    result = synthesizer.synthesize("hello there", voice=synthesizer.voice(tone), seed=1)
    again = synthesizer.synthesize_batch([Request("hello there", seed=1), Request("oh", seed=2)])
    assert result.codes.values.shape[0] == synthesizer.codec.levels
    assert 0 < result.codes.values.shape[1] <= 0.2 * synthesizer.codec.frame_rate
    assert len(again) == 2
    alone = synthesizer.synthesize("hello there", seed=1)
    assert (alone.codes.values == again[0].codes.values).all()


def test_speech_is_as_long_as_the_model_says_times_the_stretch(filling):
    lengths = []
    for stretch in (1.0, 1.75):
        synthesizer = filling(
            demask={"steps": 1, "stretch": stretch},
            synthesis={"max_seconds": 20.0, "seconds_per_symbol": [0.0, 9.0]},
        )
        # As if it had learnt that every text takes nine frames.
        bias = synthesizer.model.heads.length.bias.data
        table = synthesizer.model.embedding.length.weight.data
        table[0], table[9] = 1.0, -1.0
        weight = synthesizer.model.heads.length.weight.data
        bias[:] = 0.0
        weight[:] = 0.0
        hidden = _after(synthesizer, 0), _after(synthesizer, 9)
        weight[9], weight[10] = hidden[0] - hidden[1], hidden[1] - hidden[0]
        lengths.append(synthesizer.synthesize("hello", seed=0).codes.values.shape[1])
    assert lengths == [9, 16]  # to the nearest frame


def _after(synthesizer, digit):
    """The state after `text . language . level . 0` or one digit more."""
    import torch

    from vall_e.interfaces.task import Sample, Segment
    from vall_e.model.sequence import Example

    ids = synthesizer._planner(Request("hello", seed=0), None).job(0).sample.text
    sample = Sample(ids, 0, None, torch.zeros(1, 0, dtype=torch.long))
    head = synthesizer._decoder.length.segments(sample, level=0)[:-1]
    digits = torch.tensor([0] if digit == 0 else [0, digit])
    with torch.no_grad():
        states, _, _ = synthesizer.model.hidden([Example((*head, Segment("length", digits)), 0)])
    return states[0, -1]


def test_a_draft_gives_its_length_and_what_is_not_masked_of_it(filling, tone):
    synthesizer = filling(demask={"steps": 20, "start": 0.9}, synthesis={"max_seconds": 2.0})
    draft = tone.cut(0.0, 0.3)
    result = synthesizer.synthesize(Request("Hello there. Oh no, no.", draft=draft, seed=0))
    assert len(result.sentences) == 1  # a draft is of all that is said
    level_0 = synthesizer._encoder.recording(draft).values[0]
    assert result.codes.values.shape[1] == len(level_0)
    assert (result.codes.values[0] == level_0).mean() > 0.7


@pytest.mark.parametrize(
    ("options", "draft", "told"),
    [
        ({"demask": {"start": 0.5}}, False, "starts from a draft, and there is none"),
        ({}, True, "nothing of the draft would be kept"),
        ({"capabilities": ("ar", "nar"), "tasks": ("tts",)}, True, "only with masked decoding"),
        ({"candidates": 2}, False, "candidates: 2 has no effect with masked decoding"),
        ({"beams": 2}, False, "beams: 2 has no effect with masked decoding"),
        ({"speculative": {"layers": 1}}, False, "speculative.layers: 1 has no effect"),
        ({"synthesis": {"attempts": 2}}, False, "attempts: 2 has no effect"),
    ],
)
def test_what_makes_no_sense_is_refused(filling, tone, options, draft, told):
    with pytest.raises(ConfigError, match=told) as error:
        filling(**options).synthesize(Request("hello", draft=tone if draft else None))
    assert error.value.hint


def test_a_model_that_never_learnt_lengths_or_masks_says_so(filling):
    with pytest.raises(CheckpointError, match="cannot predict lengths"):
        filling(tasks=["tts"]).synthesize("hello")
    with pytest.raises(CheckpointError, match="not trained for len"):
        filling(capabilities=["ar", "nar"], level_0="demask")


def test_lengths_are_not_spoken(registry, codec, filling):
    parts = Parts.of(filling()._planner._parts.bundle, codec, task="len")
    with pytest.raises(ConfigError, match="writes a length, not speech"):
        Synthesizer(parts, device="cpu").synthesize("hello")


def test_the_draw_gets_colder_until_the_likeliest_is_taken():
    logits = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))

    def filled(time):
        canvas = Canvas.of(40, None, torch.Generator().manual_seed(0))
        canvas.shown(40, mask=8)
        canvas.fill(logits, Demasking(temperature=50.0), time)
        return canvas.codes

    assert filled(1.0).equal(logits.argmax(-1))
    assert not filled(0.0).equal(logits.argmax(-1))


def test_every_option_reaches_the_passes():
    options = DemaskConfig(
        steps=7, schedule="linear", choice="random", temperature=0.5, revise=True, start=0.25
    )
    assert Demasking.of(options) == Demasking(7, MaskSchedule("linear"), "random", 0.5, True, 0.25)


def test_a_pass_masks_a_frame_at_least():
    how = Demasking(schedule=MaskSchedule("linear"))
    assert [how.masked(time, 9) for time in (0.0, 0.5, 1.0)] == [9, 4, 1]


def test_a_random_choice_masks_any_of_the_frames_that_are_not_kept():
    """Kept are those that were shown to the pass."""
    logits, how = torch.randn(12, 8, generator=_seeded(0)), Demasking(choice="random")
    chosen = set()
    for seed in range(4):
        canvas = Canvas.of(12, None, _seeded(seed))
        canvas.shown(12, mask=8)
        canvas.fill(logits, how, 0.0)
        canvas.shown(6, mask=8)
        first = set(canvas.places.tolist())
        chosen.add(frozenset(first))
        canvas.fill(logits, how, 0.5)
        canvas.shown(3, mask=8)
        assert set(canvas.places.tolist()) < first
    assert len(chosen) > 1


def test_any_frame_of_a_draft_may_go_and_the_draft_itself_stays():
    draft, gone = torch.arange(8), set()
    for seed in range(4):
        canvas = Canvas.of(8, draft, _seeded(seed))
        canvas.shown(2, mask=8)
        gone |= set(canvas.places.tolist())
        canvas.fill(torch.eye(8).roll(1, 0), Demasking(), 0.5)
    assert len(gone) > 2
    assert draft.equal(torch.arange(8))


def _seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_a_sentence_that_takes_longer_than_it_may_is_not_whole(filling):
    sample = Sample(torch.tensor([1, 2]), 0, None, torch.empty(1, 0, dtype=torch.long))

    def span(frames):
        job = Job(sample, 0, 0, Bounds(0, 5), draft=torch.zeros(frames, dtype=torch.long))
        return spans_of(filling().model, None, [job], 1.0)

    assert span(5) == [FrameSpan(5)]
    assert span(6) == [FrameSpan(5, whole=False)]
    assert span(0) == [FrameSpan(1)]


def test_an_edit_cannot_be_filled_in(filling):
    facts = RequestFacts(
        task=build_cse(EditingConfig()),
        model=filling().model,
        masked=True,
        start=0.0,
        text=True,
        voice=False,
        input=True,
        edit=True,
    )
    with pytest.raises(ConfigError, match="the length of an edit is not known"):
        require(facts, REQUEST_RULES)
