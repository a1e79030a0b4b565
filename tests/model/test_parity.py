"""With the same weights, the same numbers as the project that this one learnt from.

The fixtures (reference outputs on small random weights) are not part of this repository.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file

from vall_e.interfaces import Sample
from vall_e.model.embedding import Sizes
from vall_e.model.original import translate
from vall_e.model.sequence import Example
from vall_e.model.valle import build_valle
from vall_e.synthesis.decode_ar import decode_ar
from vall_e.synthesis.decode_nar import decode_nar
from vall_e.tasks.components import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.tiny import tiny_config

FOLDER = Path(
    os.environ.get("VALL_E_PARITY", Path(__file__).parents[2].parent / "shared" / "parity")
)
TASK = Tts(TtsConfig(language=False))
BACKBONE = {
    "name": "llama",
    "d_model": 64,
    "layers": 2,
    "heads": 4,
    "d_ff": 256,
    "activation": "gelu",
}
NO_SUMS = {"backbone": BACKBONE, "embedding_sums": False, "prompt_levels": "known"}

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no fixtures in {FOLDER}; VALL_E_PARITY may name their folder"
)


class Greedy:
    def draw(self, history, logits, generators):
        return logits.argmax(-1)


class Reference:
    """A folder of fixtures, and our model with its weights."""

    def __init__(self, name, registry, *, levels, languages, **options):
        self.arrays = np.load(FOLDER / name / "fixture.npz")
        self.scalars = json.loads((FOLDER / name / "meta.json").read_text())["scalars"]
        config = tiny_config(registry, model={**NO_SUMS, **options}).model
        self.model = build_valle(config, Sizes(levels, 1024, 256, languages)).eval()
        state = load_file(FOLDER / name / "model.safetensors")
        self.model.load_state_dict(translate(state, self.model.state_dict()).tensors)
        self.model.backbone.bidirectional = False  # its later levels run causally too

    def __getitem__(self, name):
        array = torch.from_numpy(self.arrays[name])
        return array if array.is_floating_point() else array.long()

    def sample(self, number: int) -> Sample:
        prompt, response = self[f"in.prom.{number}"].T, self[f"in.resp.{number}"].T
        return Sample(self[f"in.text.{number}"], 0, prompt, response)

    def example(self, number: int, level: int) -> Example:
        sample = self.sample(number)
        known = evolve(sample, response=sample.response[: max(level, 1)])
        return Example(tuple(TASK.segments(known, level=level)), level)


@pytest.fixture(scope="module")
def default(registry):
    return Reference(
        "nov04_default_d64_l4", registry, levels=4, languages=1, positions="unified", heads="single"
    )


@pytest.fixture(scope="module")
def released(registry):
    return Reference(
        "nov04_released_d64_l8", registry, levels=8, languages=4, positions="segment", heads="split"
    )


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


# The released layout sums levels in a way of its own from level 2 on.
CASES = [("default", level) for level in range(4)] + [("released", level) for level in (0, 1)]


@pytest.mark.parametrize(("name", "level"), CASES)
def test_a_batch_gives_the_same_numbers(name, level, request):
    reference = request.getfixturevalue(name)
    with torch.no_grad():
        states, embedded, _ = reference.model.hidden([reference.example(i, level) for i in (0, 1)])
    for row, length in enumerate(embedded.lengths.tolist()):
        close(embedded.vectors[row, :length], reference[f"base.embeds.q{level}.{row}"])
        positions = reference[f"base.pos.q{level}.{row}"]
        assert embedded.positions[row, :length].equal(positions)
        logits = f"base.logits.q{level}.{row}"
        if logits in reference.arrays:
            ours = reference.model.logits(states[row, :length], level)
            close(ours, reference[logits][:, : ours.shape[-1]])


def test_the_loss_of_level_0_is_the_same(default):
    example = Example(tuple(TASK.segments(default.sample(0), level=0)), 0)
    loss = default.model.loss([example], ignore_inputs=False)
    wanted = default.scalars["base.loss.q0.batch1"]
    assert loss.total.item() == pytest.approx(wanted, abs=1e-5)


def test_greedy_decoding_writes_the_same_frames(default):
    samples = [
        evolve(default.sample(i), response=torch.empty(1, 0, dtype=torch.long)) for i in (0, 1)
    ]
    written = decode_ar(
        default.model, TASK, samples, draw=Greedy(), generators=[None] * 2, max_frames=[24] * 2
    )
    for i, row in enumerate(written):
        assert row.codes.equal(default[f"base.ar_greedy.{i}"])


def test_the_later_levels_are_filled_the_same(default):
    samples = [default.sample(i) for i in (0, 1)]
    first = [evolve(sample, response=sample.response[:1]) for sample in samples]
    filled = decode_nar(default.model, TASK, first, draw=Greedy(), generators=[None] * 2, levels=4)
    for i, codes in enumerate(filled):
        assert codes.T.equal(default[f"base.nar_greedy.{i}"])
