import copy

import pytest
import torch
from attrs import evolve

from vall_e.decoding.ar.best_of_n import scores
from vall_e.decoding.ar.loop import Writing
from vall_e.decoding.ar.multi_code import StepWriting
from vall_e.decoding.ar.stopping import Bounds, HoldStop
from vall_e.decoding.decoder import Decoder
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.decoding.job import Job
from vall_e.decoding.sampler_chain import Chain
from vall_e.errors import ConfigError
from vall_e.interfaces.task import Sample
from vall_e.model.embedding import ModelSizes
from vall_e.model.pattern_targets import steps_of
from vall_e.model.patterns import ABSENT
from vall_e.model.sequence import Example
from vall_e.model.valle import build_valle
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

SIZES = ModelSizes(levels=3, codebook_size=16, vocabulary=12, languages=1)
STOP = 16
TASK = Tts(TtsConfig())
PATTERNS = ("parallel", "delay", "interleaved", "coarse-first")
OPTIONS = {
    **{name: {"capabilities": ("ar",), "pattern": name} for name in PATTERNS},
    "groups": {"group_size": 3, "partial_groups": 0.3},
}
BACKBONE = {"name": "llama", "d_model": 16, "layers": 1, "heads": 2}


@pytest.fixture(scope="module")
def config(registry):
    return tiny_config(registry, model={"backbone": BACKBONE})


def _model(config, **options):
    torch.manual_seed(0)
    return build_valle(evolve(config.model, **options), SIZES).eval()


@pytest.fixture(scope="module", params=OPTIONS)
def model(request, config):
    return _model(config, **OPTIONS[request.param])


def _sample(seed, frames=0):
    chance = torch.Generator().manual_seed(seed)
    text = torch.randint(0, 12, (4 + seed,), generator=chance)
    prompt = torch.randint(0, 16, (3, 3), generator=chance) if seed else None
    codes = torch.randint(0, 16, (3 if frames else 1, frames), generator=chance)
    return Sample(text, 0, prompt, codes)


def _generators(count):
    return [torch.Generator().manual_seed(row) for row in range(count)]


def _drawn(level):
    return Chain([HoldStop(STOP)] if level == 0 else [])


class Greedy:
    def draw(self, history, logits, generators):
        return logits.argmax(-1)


class Never:
    def draw(self, history, logits, generators):
        return logits[:, :STOP].argmax(-1)


class Marked:
    """What its row wrote decides: so a history or a state of another row is noticed.

    `begun` counts the rows that came without a history.
    """

    def __init__(self, begun):
        self.totals, self.begun = None, begun

    def draw(self, history, logits, generators):
        if self.totals is None:
            self.totals = torch.zeros(len(logits), dtype=torch.long)
            self.begun.extend(history)
        assert self.totals.equal((history * (torch.arange(history.shape[1]) + 1)).sum(1))
        shift = (self.totals % STOP)[:, None]
        turned = (torch.arange(STOP) + shift) % STOP  # never the stop token
        token = logits.gather(1, turned).argmax(1)
        self.totals = self.totals + token * (history.shape[1] + 1)
        return token

    def select(self, rows):
        self.totals = self.totals[rows]


def _write(model, samples, generators, most, guidance=UNGUIDED, draw=_drawn, **options):
    writing = StepWriting(
        model, TASK, samples, generators, most, guidance, make_draw=draw, **options
    )
    while writing.unfinished:
        writing.step()
    return writing.utterances()


def test_cached_steps_equal_one_pass(model):
    samples = [_sample(0), _sample(1)]
    written = _write(model, samples, [None, None], [8, 5], draw=lambda level: Never())
    for sample, row, frames in zip(samples, written, [8, 5], strict=True):
        assert row.codes.shape == (model.ar_levels, frames)
        assert not row.ended
        whole = evolve(sample, response=row.codes)
        example = model.laid_out(Example(tuple(TASK.segments(whole, level=0)), 0))
        states, _, _ = model.hidden([example])
        for slot, codes in enumerate(steps_of(example).targets):
            known = (codes != ABSENT) & (codes != STOP)
            logits = model.slot_logits(states[0, -len(codes) :][known], slot)
            assert logits[:, :STOP].argmax(-1).equal(codes[known])


@pytest.mark.parametrize("confidence", [0.0, 0.09])
@pytest.mark.parametrize("guidance", [UNGUIDED, Guidance(1.5)], ids=["plain", "guided"])
def test_a_request_is_the_same_alone_and_in_a_batch(model, guidance, confidence):
    if confidence and model.config.group_size == 1:
        return
    samples = [_sample(seed) for seed in range(4)]
    most = [4, 12, 9, 12]
    options = {"guidance": guidance, "confidence": confidence}
    together = _write(model, samples, _generators(4), most, **options)
    assert any(row.ended for row in together)
    assert len({len(row.level_0) for row in together}) > 1
    for place, row in enumerate(together):
        own = _generators(4)[place : place + 1]
        [alone] = _write(model, samples[place : place + 1], own, most[place : place + 1], **options)
        assert alone.codes.equal(row.codes)
        assert alone.ended == row.ended


def test_histories_and_states_of_samplers_stay_with_their_requests(model):
    """Though rows end, and those that end a level wait while others write on."""
    samples, most = [_sample(seed) for seed in range(4)], [3, 6, 4, 5]
    model = _opinionated(model)
    confidence = 0.5 if model.config.group_size > 1 else 0.0
    begun = []
    options = {"draw": lambda level: Marked(begun), "confidence": confidence}
    together = _write(model, samples, [None] * 4, most, **options)
    assert len(begun) == 4 * model.ar_levels
    for sample, longest, row in zip(samples, most, together, strict=True):
        [alone] = _write(model, [sample], [None], [longest], **options)
        assert alone.codes.equal(row.codes)
    assert [len(row.level_0) for row in together] == most


def _opinionated(model):
    """The same model, whose rows differ in what they expect and in how sure they are of it."""
    model, chance = copy.deepcopy(model), torch.Generator().manual_seed(1)
    for weight in model.parameters():
        if weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.4, generator=chance)
    return model


def test_padding_changes_no_loss(model):
    examples = [Example(tuple(TASK.segments(_sample(s, 3 + 2 * s), level=0)), 0) for s in (0, 1)]
    together = model.loss(examples)
    alone = [model.loss([example]) for example in examples]
    mean = sum(loss.total * loss.tokens for loss in alone) / together.tokens
    torch.testing.assert_close(together.total, mean)
    codes = 3 + 5 if model.ar_levels == 1 else 3 * (3 + 5)
    assert together.tokens == codes + 2  # and a stop token each


def test_groups_are_cut_short_while_training_alone(config):
    model = _model(config, group_size=3, partial_groups=0.9)
    example = Example(tuple(TASK.segments(_sample(1, 12), level=0)), 0)

    def losses():
        return {float(model.loss([example]).total.detach()) for _ in range(3)}

    assert len(losses()) == 1
    model.train()
    assert len(losses()) > 1


def test_inputs_are_predicted_once_whatever_the_slots_of_a_step(config, model):
    examples = [Example(tuple(TASK.segments(_sample(s, 3), level=0)), 0) for s in (0, 1)]
    more, of_one_slot = (
        each.loss(examples, ignore_inputs=False).tokens - each.loss(examples).tokens
        for each in (model, _model(config))
    )
    assert more == of_one_slot > 0


def test_what_is_written_later_is_not_read_before(model):
    sample = _sample(1, 6)
    changed = sample.response.clone()
    changed[:, 3:] = (changed[:, 3:] + 1) % 16
    first, other = (
        model.laid_out(Example(tuple(TASK.segments(evolve(sample, response=r), level=0)), 0))
        for r in (sample.response, changed)
    )
    same = (steps_of(first).ids == steps_of(other).ids).all(0).long().cumprod(0).sum()
    a, b = (model.hidden([example])[0] for example in (first, other))
    until = a.shape[1] - len(first.target) + int(same)
    torch.testing.assert_close(a[:, :until], b[:, :until])
    assert not torch.allclose(a[:, until], b[:, until])


def test_steps_of_one_code_are_those_of_the_plain_stage(config):
    model = _model(config)
    samples, most = [_sample(seed) for seed in range(4)], [4, 12, 9, 12]
    stepped = _write(model, samples, _generators(4), most)
    plain = Writing(model, TASK, samples, _generators(4), most).finish(_drawn(0), lambda: None)
    for ours, theirs in zip(stepped, plain, strict=True):
        assert ours.codes.equal(theirs.codes)
        assert ours.ended == theirs.ended


def test_where_nothing_is_sure_a_group_holds_one_frame(config):
    model = _model(config, **OPTIONS["groups"])
    samples = [_sample(1)]
    steps = []
    for confidence in (0.0, 1.0):
        writing = StepWriting(
            model, TASK, samples, [None], [6], make_draw=lambda _: Never(), confidence=confidence
        )
        steps.append(0)
        while writing.unfinished:
            writing.step()
            steps[-1] += 1
        assert writing.settled_frames == [6]
    assert steps == [2, 6]


@pytest.mark.slow
def test_it_learns_an_utterance_by_heart_and_says_it(model):
    model.train()
    wanted = [_sample(seed, 4 + 3 * seed) for seed in (0, 1)]
    examples = [Example(tuple(TASK.segments(sample, level=0)), 0) for sample in wanted]
    optimizer = torch.optim.AdamW(model.parameters(), 2e-2)
    for _ in range(100):
        loss = model.loss(examples).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    started = [evolve(s, response=torch.empty(1, 0, dtype=torch.long)) for s in wanted]
    for confidence in (0.0, 0.5) if model.config.group_size > 1 else (0.0,):
        written = _write(
            model, started, [None] * 2, [30] * 2,
            draw=lambda level: Greedy(), confidence=confidence,
        )  # fmt: skip
        for sample, row in zip(wanted, written, strict=True):
            assert row.codes.equal(sample.response[: model.ar_levels])
            assert row.ended


def test_drafts_are_scored_by_all_that_they_say(model):
    sample = _sample(1)
    [draft] = _write(model, [sample], _generators(1), [4])
    draft = evolve(draft, ended=True)  # so that its stop token counts, as in training
    whole = evolve(sample, response=draft.codes)
    loss = model.loss([Example(tuple(TASK.segments(whole, level=0)), 0)])
    [score] = scores(model, TASK, [sample], [draft], "likelihood")
    assert score == pytest.approx(-float(loss.total.detach()), abs=1e-5)
    example = model.laid_out(Example(tuple(TASK.segments(whole, level=0)), 0))
    states, _, _ = model.hidden([example])
    chosen = []
    for slot, codes in enumerate(steps_of(example).targets):
        said = (codes != ABSENT) & (codes != STOP)
        log_p = model.slot_logits(states[0, -len(codes) :][said], slot).log_softmax(-1)
        chosen += log_p.gather(-1, codes[said, None]).flatten().tolist()
    [cut_off] = scores(model, TASK, [sample], [evolve(draft, ended=False)], "likelihood")
    assert cut_off == pytest.approx(sum(chosen) / len(chosen), abs=1e-5)


@pytest.mark.parametrize("given", [1, 2, 5])
def test_an_utterance_continues_from_its_own_beginning_as_it_did(model, given):
    samples = [_sample(seed) for seed in (1, 2)]
    wholes = _write(model, samples, [None] * 2, [8, 7], draw=lambda level: Never())
    begun = [w.codes[:, :given] for w in wholes]
    started = [evolve(s, response=b) for s, b in zip(samples, begun, strict=True)]
    rests = _write(model, started, [None] * 2, [8 - given, 7 - given], draw=lambda level: Never())
    for whole, rest in zip(wholes, rests, strict=True):
        assert rest.codes.equal(whole.codes[:, given:])


def test_what_was_given_is_not_scored(config):
    for options in (OPTIONS["interleaved"], OPTIONS["groups"]):
        model = _model(config, **options)
        sample = _sample(1)
        [whole] = _write(model, [sample], _generators(1), [7], draw=lambda level: Never())
        [first] = _write(model, [sample], _generators(1), [3], draw=lambda level: Never())
        begun = evolve(sample, response=whole.codes[:, :3])
        rest = evolve(whole, codes=whole.codes[:, 3:], ended=True)
        drafts = [evolve(whole, ended=True), first, rest]
        marks = scores(model, TASK, [sample, sample, begun], drafts, "likelihood")
        counts = [d.codes.numel() + d.ended for d in drafts]
        total, before, after = (m * n for m, n in zip(marks, counts, strict=True))
        assert after == pytest.approx(total - before, abs=1e-4)


def _decoder(config, model, sampling):
    return Decoder(model, TASK, evolve(config.sampling, **sampling), 1, 50.0, 3)


@pytest.mark.parametrize("sampling", [{}, {"candidates": 3}])
def test_all_levels_come_out(config, model, sampling):
    decoder = _decoder(config, model, sampling)
    [spoken] = decoder([Job(_sample(1), 0, 0, Bounds(0, 9))])
    assert spoken.codes.shape[0] == 3
    assert spoken.codes.max() < STOP


def test_what_a_step_cannot_do_is_refused(config, model):
    greedy = {"ar": config.sampling.nar, "beams": 2}
    with pytest.raises(ConfigError, match="needs one code a step"):
        _decoder(config, model, greedy)
    with pytest.raises(ConfigError, match=r"sampling\.exit needs one"):
        _decoder(config, model, {"exit": evolve(config.sampling.exit, after=1)})
    if model.config.group_size == 1:
        with pytest.raises(ConfigError, match="does not write in groups"):
            _decoder(config, model, {"confidence": 0.5})
