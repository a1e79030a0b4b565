"""Masked frames, lengths and guidance: the numbers of the project that this one learnt from.

The fixtures are not part of this repository; see `tests/parity/test_passes.py`.
"""

import json
import os
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file, save_file

from vall_e.decoding.ar.loop import decode_ar
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.decoding.length import decode_lengths
from vall_e.decoding.masked import Demasking, demask
from vall_e.interfaces.task import Sample, Segment
from vall_e.model.masking import masked
from vall_e.model.sequence import Example, without
from vall_e.tasks.len import Length
from vall_e.tasks.options import LengthConfig
from vall_e.weights.file import load

FOLDER = Path(
    os.environ.get("VALL_E_PARITY", Path(__file__).parents[2].parent / "shared" / "parity")
)
SOURCE = FOLDER / "nov19_len_d32_l4"
BOTH = ("text", "prompt")

pytestmark = pytest.mark.skipif(
    not SOURCE.is_dir(), reason=f"no fixtures in {SOURCE}; VALL_E_PARITY may name their folder"
)


class Greedy:
    def draw(self, history, logits, generators):
        return logits.argmax(-1)


class Reference:
    """The fixtures, and what our reader makes of their model."""

    def __init__(self, registry, folder):
        self.arrays = np.load(SOURCE / "fixture.npz")
        self.meta = json.loads((SOURCE / "meta.json").read_text())
        theirs = dict(self.meta["config"])
        theirs["size"] = {"dim": 32, "heads": 4, "layers": 2}
        symbols = ["<unk>", "<bos>", "</eos>", "<mask>"] + [chr(0x400 + i) for i in range(252)]
        facts = {"config": theirs, "userdata": {"symmap": {s: i for i, s in enumerate(symbols)}}}
        metadata = {key: json.dumps(value) for key, value in facts.items()}
        save_file(load_file(SOURCE / "model.safetensors"), folder / "len.sft", metadata=metadata)
        bundle = load(folder / "len.sft", registry)
        self.model = bundle.model
        self.task, self.length = (choice.build() for choice in bundle.config.tasks)

    def __getitem__(self, name):
        array = torch.from_numpy(self.arrays[name])
        return array if array.is_floating_point() else array.long()

    def sample(self, number: int) -> Sample:
        prompt, response = self[f"in.prom.{number}"].T, self[f"in.resp.{number}"].T
        return Sample(self[f"in.text.{number}"], 0, prompt, response)

    def empty(self, number: int) -> Sample:
        return evolve(self.sample(number), response=torch.empty(1, 0, dtype=torch.long))

    def masked(self, number: int) -> Example:
        example = Example(tuple(self.task.segments(self.sample(number), level=0)), 0)
        places = torch.from_numpy(self.arrays[f"in.mask.{number}"]).nonzero()[:, 0].tolist()
        made = masked(example, places, self.model.stop)
        assert made.target.ids[0].equal(self[f"in.masked_resp.{number}"])
        return made

    def lengthy(self, number: int, *, more: int = 0) -> Example:
        sample = self.sample(number)
        codes = torch.cat([sample.response, sample.response[:, :more]], 1)
        longer = evolve(sample, response=codes)
        return Example(tuple(self.length.segments(longer, level=0)), 0)

    def trained(self, kind: str, number: int) -> Example:
        """Over there a response that is trained on counts its stop token too."""
        return self.masked(number) if kind == "nar00" else self.lengthy(number, more=1)

    @torch.no_grad()
    def states(self, example: Example):
        states, _, _ = self.model.hidden([example])
        return states[0]


@pytest.fixture(scope="module")
def reference(registry, tmp_path_factory):
    return Reference(registry, tmp_path_factory.mktemp("original"))


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_masked_frames_and_guidance_give_the_same_logits(reference):
    sides = []
    for left_out, name in (((), "nar00"), (BOTH, "nar00_null")):
        sample = without(reference.sample(0), left_out)
        head = reference.task.segments(sample, level=0)[:-1]
        shown = Segment("masked", reference["in.masked_resp.0"][None])
        with torch.no_grad():
            logits = reference.model.masked_logits(reference.states(Example((*head, shown), 0)))
        close(logits, reference[f"logits.{name}.0"])
        sides.append(logits[-20:])
    for scale, rescale in ((2.0, 0.75), (3.0, 0.0)):
        guided = Guidance(scale, BOTH, rescale).of_one(torch.cat(sides))
        close(guided, reference[f"cfg.s{scale}.r{rescale}.0"])


def test_lengths_give_the_same_logits(reference):
    example = reference.lengthy(0)
    assert example.target.ids.equal(reference["in.len.0"])
    with torch.no_grad():
        close(reference.model.length_logits(reference.states(example)), reference["logits.len.0"])
    samples = [reference.empty(i) for i in (0, 1)]
    lengths = decode_lengths(reference.model, reference.length, samples)
    assert lengths == reference.meta["scalars"]["len_greedy"]


@pytest.mark.parametrize(("rule", "ignore"), [("joint_all", False), ("joint_outputs_only", True)])
@pytest.mark.parametrize("kind", ["nar00", "len"])
def test_losses_are_the_same(reference, kind, rule, ignore):
    """Over there a batch is the mean of its samples."""
    examples = [reference.trained(kind, number) for number in (0, 1)]
    with torch.no_grad():
        losses = [reference.model.loss([e], ignore_inputs=ignore).total for e in examples]
    theirs = reference.meta["scalars"][f"{rule}.loss.{kind}"]["nll"]
    assert fmean(loss.item() for loss in losses) == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize("numbers", [(0, 1), (0,), (1,)])
def test_demasking_writes_the_same_frames(reference, numbers):
    for name, guidance in (("2.0", Guidance(2.0, BOTH, 0.75)), ("0.0", UNGUIDED)):
        written = demask(
            reference.model,
            reference.task,
            [reference.empty(i) for i in numbers],
            [20] * len(numbers),
            how=Demasking(steps=8),
            generators=[torch.Generator()] * len(numbers),
            guidance=guidance,
        )
        for number, codes in zip(numbers, written, strict=True):
            assert codes.equal(reference[f"narmask_greedy.steps8.cfg{name}.{number}"])


def test_guided_frames_are_the_same(reference):
    [written] = decode_ar(
        reference.model,
        reference.task,
        [reference.empty(0)],
        draw=Greedy(),
        generators=[None],
        max_frames=[24],
        guidance=Guidance(2.0, BOTH, 0.7),
    )
    assert written.level_0.equal(reference["ar_greedy_cfg2.0"])


def test_the_tasks_of_the_file_are_speech_and_lengths(reference):
    assert reference.task.name == "tts"
    assert isinstance(reference.length, Length)
    assert reference.length.config == LengthConfig(language=False)
