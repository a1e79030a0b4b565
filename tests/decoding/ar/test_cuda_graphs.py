"""Steps that are replayed write what steps that are done write."""

from functools import partial

import pytest
import torch
from attrs import evolve

from vall_e.decoding.ar.cuda_graphs import Graphs, Replayed, record_on_cuda, why_not
from vall_e.decoding.ar.stopping import Bounds
from vall_e.decoding.compatibility import ModelFacts, require_fit
from vall_e.errors import ConfigError, UnavailableError
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.request import Request
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.testing.fakes.fake_cuda_graph import record
from vall_e.testing.fakes.tiny_model import tiny_bundle

CUDA = torch.device("cuda", 0)
TEXTS = {"so.": 12, "and so on.": 5, "one that is longer still.": 9}


@pytest.mark.parametrize(
    ("model", "sampling"),
    [
        ({}, {"guidance": 2.0}),
        ({"ahead": 2}, {}),
        ({"pattern": "delay", "capabilities": ["ar"]}, {}),
    ],
    ids=["guided", "ahead", "pattern"],
)
def test_the_same_is_written_from_recordings(speaker, model, sampling):
    """A recording serves as long as no row leaves."""
    tiny = speaker(model=model, sampling=sampling)
    jobs = [
        evolve(tiny._planner(Request(text, seed=most), None).job(0), bounds=Bounds(0, most))
        for text, most in TEXTS.items()
    ]
    recordings = []

    def noted(work):
        recordings.append(work)
        return record(work)

    wanted = tiny._decoder(jobs)
    look_every = 1 if tiny.model.stepwise else 3
    found = evolve(tiny._decoder, graphs=Graphs(noted), look_every=look_every)(jobs)
    assert [s.codes.tolist() for s in found] == [s.codes.tolist() for s in wanted]
    lengths = {spoken.codes.shape[1] for spoken in wanted}
    assert len(lengths) > 1
    assert 1 < len(recordings) <= len(lengths)


def test_a_recording_is_made_where_its_step_writes(speaker):
    cache, seen = speaker().model.backbone.new_cache(2, 8), []

    def step(x, positions, steady):
        seen.append(steady.lengths.tolist())
        return x

    replayed = Replayed(step, record)
    for _ in range(2):
        replayed(torch.zeros(2, 4), torch.zeros(2, dtype=torch.long), cache)
    assert seen[0] == [0, 0]


def test_what_is_asked_for_and_cannot_be_had_is_refused(speaker):
    with pytest.raises(UnavailableError) as caught:
        speaker(graphs="on")
    assert caught.value.message == (
        "synthesis.graphs: steps cannot be recorded: the model is on cpu, and only CUDA has graphs"
    )
    assert speaker(graphs="auto")._decoder.graphs.record is None


def test_the_reason_is_named(speaker):
    llama = speaker().model.backbone
    layers = {"name": "transformer", "d_model": 32, "layers": 1, "heads": 2}
    other = speaker(model={"backbone": layers}).model.backbone
    assert why_not(llama, CUDA, name="llama", wrapped=False) == ""
    assert "synthesis.wrappers" in why_not(llama, CUDA, name="llama", wrapped=True)
    assert why_not(other, CUDA, name="transformer", wrapped=False) == (
        "the backbone transformer has no step of its own"
    )


def test_they_are_refused_where_no_step_is_like_the_other(registry, codec):
    bundle = tiny_bundle(registry, codec, sampling={"beams": 2, "ar": ["greedy"]})
    facts = partial(
        ModelFacts,
        sampling=bundle.config.sampling,
        model=bundle.model,
        attempts=1,
        masked=False,
        refines=True,
    )
    require_fit(facts(require_graphs=False))
    with pytest.raises(
        ConfigError, match=r"synthesis\.graphs: on has no effect here: sampling\.beams"
    ):
        require_fit(facts(require_graphs=True))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is something to record on")
def test_without_cuda_recording_is_an_error_with_a_way_out():
    with pytest.raises(
        UnavailableError, match=r"synthesis\.graphs: a step cannot be recorded"
    ) as e:
        record_on_cuda(lambda: None, device=CUDA)
    assert "synthesis.graphs: off" in e.value.hint


def test_no_room_is_reported_as_no_room(monkeypatch):
    def full(device):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(torch.cuda, "device", full)
    with pytest.raises(torch.OutOfMemoryError, match="no room"):
        record_on_cuda(lambda: None, device=CUDA)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_writes_the_same_from_graphs(registry, codec):
    spoken = []
    for graphs in ("off", "on"):
        bundle = tiny_bundle(registry, codec, synthesis={"max_seconds": 0.5, "graphs": graphs})
        synthesizer = Synthesizer(Parts.of(bundle, codec), device="cuda")
        spoken.append(synthesizer.synthesize("oh. so it is.", seed=1).audio.tolist())
    assert spoken[0] == spoken[1]
