"""With the same weights, the same numbers as the project that this one learnt from.

See `conftest.py` for where its numbers come from.
"""

import importlib.util
from statistics import fmean

import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file

from vall_e.decoding.nar.loop import decode_nar
from vall_e.decoding.sampler_chain import Chain
from vall_e.export.formats.ecker import EckerExporter
from vall_e.weights.ecker_names import TensorNames
from vall_e.weights.file import load
from vall_e_samplers.legacy import LegacyRepetitionPenalty
from vall_e_samplers.legacy_options import LegacyRepetitionPenaltyConfig

VARIANTS = {"default": ["base"], "released": ["base", "lang"], "length": [""]}
LEVELS = {"default": 4, "released": 8, "length": 4}
TOLERANCE = 1e-5


class Greedy:
    def draw(self, history, logits, generators):
        return logits.argmax(-1)


MODELS = [(name, variant) for name, variants in VARIANTS.items() for variant in variants]
CASES = [(*model, level) for model in MODELS for level in range(LEVELS[model[0]])]


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("together", [True, False], ids=["batch", "alone"])
@pytest.mark.parametrize(("name", "variant", "level"), CASES)
def test_the_passes_give_the_same_numbers(references, name, variant, level, together):
    reference = references[name, variant]
    compared = 0
    for numbers in [(0, 1)] if together else [(0,), (1,)]:
        with torch.no_grad():
            states, embedded, _ = reference.model.hidden(reference.asked(numbers, level))
        for row, number in enumerate(numbers):
            length = int(embedded.lengths[row])
            logits = reference.model.logits(states[row, :length], level)
            for what, ours in (
                ("embeds", embedded.vectors[row, :length]),
                ("pos", embedded.positions[row, :length]),
                ("logits", logits),
            ):
                if f"{what}.q{level}.{number}" in reference:
                    theirs = reference[f"{what}.q{level}.{number}"]
                    # A single head says `stop` at every level there.
                    close(ours, theirs[:, : ours.shape[-1]] if what == "logits" else theirs)
                    compared += 1
    assert compared


@pytest.mark.parametrize(("name", "variant", "level"), [c for c in CASES if c[0] != "length"])
def test_losses_are_the_same(references, name, variant, level, wide_heads):
    reference = references[name, variant]
    with wide_heads(reference.model):
        losses = reference.losses(level, (0, 1), ignore_inputs=False)
    for count in (1, 2):
        ours = fmean(loss.item() for loss in losses[:count])
        theirs = reference.scalars[f"{variant}.loss.q{level}.batch{count}"]
        assert ours == pytest.approx(theirs, abs=TOLERANCE)


@pytest.mark.parametrize(("rule", "ignore"), [("joint_all", False), ("joint_outputs_only", True)])
@pytest.mark.parametrize("level", range(4))
def test_later_losses_are_the_same(references, level, rule, ignore):
    reference = references["length", ""]
    losses = reference.losses(level, (0, 1), ignore_inputs=ignore)
    theirs = _only(reference.scalars[f"{rule}.loss.q{level}"])
    assert fmean(loss.item() for loss in losses) == pytest.approx(theirs, abs=TOLERANCE)


@pytest.mark.parametrize("level", range(3))
@pytest.mark.parametrize(("name", "variant"), [m for m in MODELS if m[0] != "length"])
def test_gradients_are_the_same(references, name, variant, level, wide_heads):
    reference = references[name, variant]
    model = reference.model
    model.zero_grad()
    with wide_heads(model):
        sum(reference.losses(level, (0, 1), ignore_inputs=False)).div(2).backward()
    theirs = reference.meta[f"{variant}.gradnorms.q{level}.batch2"]
    norms = {}
    for own, parameter in model.named_parameters():
        if parameter.grad is not None:
            called = TensorNames(single_head=len(model.heads.layers) == 1).called(own)
            norms[called] = parameter.grad.norm().item()
    model.zero_grad()
    for called, norm in theirs.items():
        assert norms.get(called, 0.0) == pytest.approx(norm, abs=TOLERANCE), called
    total = sum(norm**2 for norm in norms.values()) ** 0.5
    wanted = reference.scalars[f"{variant}.gradnorm.q{level}.batch2"]
    assert total == pytest.approx(wanted, abs=TOLERANCE)


@pytest.mark.parametrize(("name", "variant"), MODELS)
def test_greedy_decoding_writes_the_same_frames(references, name, variant):
    reference = references[name, variant]
    for numbers in ((0, 1), (0,), (1,)):
        written = reference.written(reference.empty(numbers), 24)
        for number, codes in zip(numbers, written, strict=True):
            assert codes.equal(reference[f"ar_greedy.{number}"])


@pytest.mark.parametrize(("name", "variant"), MODELS)
def test_a_penalised_decoding_writes_the_same_frames(references, name, variant):
    reference = references[name, variant]
    penalty = LegacyRepetitionPenalty(LegacyRepetitionPenaltyConfig(factor=1.5))
    [codes] = reference.written(reference.empty([0]), 24, draw=Chain([penalty, Greedy()]))
    assert codes.equal(reference["ar_greedy_reppen1.5.0"])


@pytest.mark.parametrize(("name", "variant"), [m for m in MODELS if m[0] != "length"])
def test_without_a_prompt_the_same_frames_are_written(references, name, variant):
    reference = references[name, variant]
    [sample] = reference.empty([0])
    [codes] = reference.written([evolve(sample, prompt=None)], 8)
    assert codes.equal(reference["ar_greedy_noprom.0"])


@pytest.mark.parametrize(("name", "variant"), MODELS)
def test_the_later_levels_are_filled_the_same(references, name, variant):
    reference = references[name, variant]
    for numbers in ((0, 1), (0,), (1,)):
        samples = [reference.sample(i) for i in numbers]
        filled = decode_nar(
            reference.model,
            reference.task,
            [evolve(sample, response=sample.response[:1]) for sample in samples],
            draw=Greedy(),
            generators=[None] * len(samples),
            levels=LEVELS[name],
        )
        for number, codes in zip(numbers, filled, strict=True):
            assert codes.T.equal(reference[f"nar_greedy.{number}"])


@pytest.mark.parametrize(("name", "variant"), MODELS)
def test_exporting_gives_the_file_back(references, registry, tmp_path, name, variant):
    reference = references[name, variant]
    EckerExporter()(load(reference.path, registry), tmp_path / "back.sft")
    back = load_file(tmp_path / "back.sft")
    assert back.keys() == reference.state.keys()
    for called, tensor in reference.state.items():
        assert back[called].equal(tensor), called


@pytest.mark.parametrize("level", range(1, 8))
def test_levels_that_see_all_frames_give_the_numbers_of_plain_torch(
    references, parity_folder, level
):
    plain = _plain_torch(parity_folder)
    reference = references.made("released", "base", noncausal_masks=True)
    sample = reference.sample(0)
    with torch.no_grad():
        states, _, _ = reference.model.hidden(reference.asked((0, 1), level))
        vectors, positions, _ = plain.embed_tts(
            reference.state,
            sample.text,
            sample.prompt.T,
            sample.response[:level].T,
            level,
            True,
        )
        theirs = plain.backbone(reference.state, vectors, positions, 4, 2, causal=False)
        wanted = plain.head(reference.state, level, theirs)
        close(reference.model.logits(states[0, : len(theirs)], level), wanted)


def _plain_torch(folder):
    path = folder / "check_parity.py"
    spec = importlib.util.spec_from_file_location("check_parity", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _only(value):
    return sum(value.values()) if isinstance(value, dict) else value
