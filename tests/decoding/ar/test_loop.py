"""However seldom decoding looks at what it draws, it writes the same."""

import pytest
import torch
from attrs import evolve

from vall_e.config.layer_skip import ExitConfig, SpeculativeConfig
from vall_e.decoding.ar.choose_state import rows_of
from vall_e.decoding.ar.loop import ON_CUDA, Writing, decode_ar, frames_between_looks
from vall_e.decoding.ar.state import Rows
from vall_e.decoding.ar.stopping import HoldStop
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.decoding.sampler_chain import Chain
from vall_e.errors import CheckpointError, ConfigError
from vall_e.synthesis.request import Request
from vall_e.testing.fakes.gpu_sync_probe import WaitsForNothing
from vall_e_samplers import components as c

MOST = [11, 5, 9, 12]
WAYS = {
    "greedy": c.build_greedy(c.GreedyConfig()),
    "chance": c.build_repetition_aware(c.RepetitionAwareConfig(p=1.0, threshold=0.0)),
    "state": None,  # made anew for each decoding
}


class Likelier:
    """Makes a token likelier, in the frames after the first ones."""

    def __init__(self, token, by, after=0):
        self.token, self.by, self.after = token, by, after

    def __call__(self, history, logits):
        logits = logits.clone()
        logits[:, self.token] += self.by if history.shape[1] > self.after else 0.0
        return logits


@pytest.fixture(scope="module")
def samples(tiny):
    texts = ["a", "a longer one", "and one more", "one that is longer still"]
    lines = [tiny._planner(Request(text), None).job(0).sample for text in texts]
    return [evolve(sample, response=torch.zeros(1, 0, dtype=torch.long)) for sample in lines]


@pytest.fixture
def write(tiny, samples):
    def write(look_every, *, way="chance", before=(), guidance=UNGUIDED, read=Rows, steps=None):
        draw = WAYS[way] or c.build_mirostat_v2(c.MirostatConfig())
        stop = tiny.model.stop
        return decode_ar(
            tiny.model,
            tiny.task,
            samples,
            draw=Chain([HoldStop(stop), Likelier(stop, 0.7, after=2), *before, draw]),
            generators=[torch.Generator().manual_seed(i) for i in range(len(samples))],
            max_frames=MOST,
            guidance=guidance,
            read=read,
            look_every=look_every,
            on_frame=(lambda: None) if steps is None else lambda: steps.append(1),
        )

    return write


def _plain(written):
    return [(row.level_0.tolist(), row.ended) for row in written]


@pytest.mark.parametrize(
    ("way", "guidance"),
    [("greedy", UNGUIDED), ("chance", Guidance(2.0)), ("state", UNGUIDED)],
    ids=["greedy", "chance-guided", "state"],
)
def test_looking_seldom_changes_nothing_of_what_is_written(write, way, guidance):
    wanted = _plain(write(1, way=way, guidance=guidance))
    if way == "chance":  # rows end at different frames, by themselves and at their limits
        assert len({len(codes) for codes, _ in wanted}) > 2
        assert {ended for _, ended in wanted} == {True, False}
    for look_every in (3, 256):
        assert _plain(write(look_every, way=way, guidance=guidance)) == wanted


@pytest.mark.parametrize(
    "sampling",
    [
        {"exit": ExitConfig(after=1, entropy=9.0, varentropy=9.0)},
        {"speculative": SpeculativeConfig(layers=1, drafts=2)},
    ],
    ids=["exit", "speculative"],
)
def test_rows_that_follow_each_token_are_looked_at_each_frame(tiny, write, sampling):
    read = rows_of(evolve(tiny.config.sampling, **sampling), tiny.model)
    once, seldom = write(1, read=read), write(8, read=read)
    assert _plain(seldom) == _plain(once)
    assert [row.effort for row in seldom] == [row.effort for row in once]


def test_a_look_comes_no_later_than_the_last_frame(write):
    steps = []
    write(256, before=[Likelier(-1, float("-inf"))], steps=steps)
    assert len(steps) == max(MOST)


def test_what_breaks_after_an_end_is_nobodys_trouble(tiny, write):
    ended, going = ([Likelier(tiny.model.stop, by, after=3)] for by in (99.0, -99.0))
    wanted = _plain(write(1, before=ended))
    broken = Likelier(0, float("nan"), after=4)
    assert _plain(write(8, before=[*ended, broken])) == wanted
    with pytest.raises(CheckpointError, match="no usable probabilities"):
        write(8, before=[*going, broken])


def test_between_looks_nothing_waits_for_the_device(tiny, samples):
    draw = Chain([HoldStop(tiny.model.stop), WAYS["chance"]])
    chances = [torch.Generator() for _ in samples]
    writing = Writing(tiny.model, tiny.task, samples, chances, MOST, Guidance(2.0), look_every=4)
    with WaitsForNothing():
        for _ in range(3):
            writing.step(draw)
        with pytest.raises(AssertionError, match="tolist would synchronize with the GPU"):
            writing.step(draw)


@pytest.mark.parametrize(
    "look", [bool, torch.Tensor.item, lambda x: x[x > 0], lambda x: x.sum() in x, min]
)
def test_a_look_is_noticed_in_every_guise(look):
    values = torch.ones(1)
    with WaitsForNothing(), pytest.raises(AssertionError, match="would synchronize with the GPU"):
        look(values if look is not min else [values, values])


def test_rows_that_share_chance_must_be_looked_at(tiny, samples):
    chance = [torch.Generator()] * len(samples)
    with pytest.raises(ValueError, match="each row needs its own generator"):
        Writing(tiny.model, tiny.task, samples, chance, MOST, look_every=2)
    exits = evolve(tiny.config.sampling, exit=ExitConfig(after=1))
    read = rows_of(exits, tiny.model)  # looked at each frame, whatever is asked for
    Writing(tiny.model, tiny.task, samples, chance, MOST, read=read, look_every=2)


def test_a_gpu_is_looked_at_seldom_unless_the_options_say_otherwise():
    cpu, cuda = torch.device("cpu"), torch.device("cuda", 0)
    assert [frames_between_looks(0, each) for each in (cpu, cuda)] == [1, ON_CUDA]
    assert [frames_between_looks(3, each) for each in (cpu, cuda)] == [3, 3]


def test_a_stream_says_the_same_however_seldom_it_looks(speaker):
    often = speaker(window_seconds=0.06, ahead_seconds=0.02)
    seldom = speaker(window_seconds=0.06, ahead_seconds=0.02, look_every=7)
    wanted = often.synthesize("so. so so.", seed=3).audio
    stream = seldom.stream("so. so so.", seed=3)
    assert sum(len(chunk.audio) for chunk in stream) == len(wanted)
    assert (stream.result().audio == wanted).all()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sampling": {"beams": 2, "ar": ["greedy"]}}, "sampling.beams keeps the likeliest"),
        ({"sampling": {"exit": {"after": 1}}}, "sampling.exit chooses the layers of each frame"),
        ({"model": {"pattern": "delay", "capabilities": ["ar"]}}, "a step of this model writes"),
    ],
)
def test_where_each_frame_is_looked_at_anyway_the_option_is_refused(speaker, changes, why):
    with pytest.raises(ConfigError, match=f"synthesis.look_every: 4 has no effect here: {why}"):
        speaker(**changes, look_every=4)
