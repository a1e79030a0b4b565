"""With the same weights, the same numbers as the project that this one learnt from.

The fixtures (reference outputs on small random weights) are not part of this repository. Its files
are read as any user's are.
"""

import importlib.util
import json
import os
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file, save_file

from vall_e.export.original import OriginalExporter
from vall_e.interfaces import Sample
from vall_e.model.original import original_name
from vall_e.model.sequence import Example
from vall_e.model.weights import load
from vall_e.synthesis.decode_ar import decode_ar
from vall_e.synthesis.decode_nar import decode_nar

FOLDER = Path(
    os.environ.get("VALL_E_PARITY", Path(__file__).parents[2].parent / "shared" / "parity")
)
NAMES = {
    "default": "nov04_default_d64_l4",
    "released": "nov04_released_d64_l8",
    "length": "nov19_len_d32_l4",
}
VARIANTS = {"default": ["base"], "released": ["base", "lang"], "length": [""]}
LEVELS = {"default": 4, "released": 8, "length": 4}
TOLERANCE = 1e-5

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no fixtures in {FOLDER}; VALL_E_PARITY may name their folder"
)


class Greedy:
    def draw(self, history, logits, generators):
        return logits.argmax(-1)


class Penalised:
    """Greedy after the original's repetition penalty, which counts each repetition anew."""

    def draw(self, history, logits, generators):
        logits = logits.clone()
        for row, tokens in enumerate(history):
            for token in tokens.tolist():
                logits[row, token] /= 1.5
        return logits.argmax(-1)


class Reference:
    """A folder of fixtures, and what our reader makes of its model."""

    def __init__(self, name, variant, registry, folder, **experimental):
        source = FOLDER / NAMES[name]
        self.prefix = f"{variant}." if variant else ""
        self.arrays = np.load(source / "fixture.npz")
        self.meta = json.loads((source / "meta.json").read_text())
        self.state = load_file(source / "model.safetensors")
        theirs = dict(self.meta["config"])
        theirs["size"] = {
            "dim": theirs.pop("d_model"),
            "heads": theirs.pop("n_heads"),
            "layers": theirs.pop("n_layers"),
        }
        for size in ("ffn", "n_text_tokens", "n_audio_tokens"):
            del theirs[size]
        theirs["experimental"] = theirs["experimental"] | experimental
        if variant == "lang":
            theirs["capabilities"] = [*theirs["capabilities"], "lang"]
        symbols = ["<unk>", "<bos>", "</eos>", "<mask>"] + [chr(0x400 + i) for i in range(252)]
        facts = {"config": theirs, "userdata": {"symmap": {s: i for i, s in enumerate(symbols)}}}
        self.path = folder / f"{name}-{variant}.sft"
        metadata = {key: json.dumps(value) for key, value in facts.items()}
        save_file(self.state, self.path, metadata=metadata)
        bundle = load(self.path, registry)
        self.model = bundle.model
        self.task = bundle.config.tasks[0].build()

    def __contains__(self, name):
        return self.prefix + name in self.arrays

    def __getitem__(self, name):
        array = torch.from_numpy(self.arrays[name if name[:3] == "in." else self.prefix + name])
        return array if array.is_floating_point() else array.long()

    @property
    def scalars(self):
        return self.meta["scalars"]

    def sample(self, number: int) -> Sample:
        prompt, response = self[f"in.prom.{number}"].T, self[f"in.resp.{number}"].T
        language = int(self[f"in.lang.{number}"]) % self.model.sizes.languages
        return Sample(self[f"in.text.{number}"], language, prompt, response)

    def example(self, number: int, level: int, *, known: int) -> Example:
        sample = self.sample(number)
        cut = evolve(sample, response=sample.response[:known])
        return Example(tuple(self.task.segments(cut, level=level)), level)

    def asked(self, numbers, level):
        """To draw from: the levels before, and for level 0 the frames drawn so far."""
        return [self.example(i, level, known=max(level, 1)) for i in numbers]

    def losses(self, level, numbers, **options):
        """Of each sample alone: over there a batch is the mean of its samples."""
        taught = [self.example(i, level, known=level + 1) for i in numbers]
        return [self.model.loss([example], **options).total for example in taught]

    def empty(self, numbers):
        """Samples whose response is still to be written."""
        none = torch.empty(1, 0, dtype=torch.long)
        return [evolve(self.sample(i), response=none) for i in numbers]

    def written(self, samples, frames, *, draw=None):
        rows = decode_ar(
            self.model,
            self.task,
            samples,
            draw=draw or Greedy(),
            generators=[None] * len(samples),
            max_frames=[frames] * len(samples),
        )
        return [row.codes for row in rows]


@pytest.fixture(scope="module")
def references(registry, tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    return {
        (name, variant): Reference(name, variant, registry, folder)
        for name, variants in VARIANTS.items()
        for variant in variants
    }


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
            called = original_name(own, single_head=len(model.heads.layers) == 1)
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
    [codes] = reference.written(reference.empty([0]), 24, draw=Penalised())
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
    OriginalExporter()(load(reference.path, registry), tmp_path / "back.sft")
    back = load_file(tmp_path / "back.sft")
    assert back.keys() == reference.state.keys()
    for called, tensor in reference.state.items():
        assert back[called].equal(tensor), called


@pytest.mark.parametrize("level", range(1, 8))
def test_levels_that_see_all_frames_give_the_numbers_of_plain_torch(registry, tmp_path, level):
    plain = _plain_torch()
    reference = Reference("released", "base", registry, tmp_path, noncausal_masks=True)
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


@pytest.fixture
def wide_heads():
    """A single head's classes at every level, as over there: ours leaves `stop` to level 0."""
    from contextlib import contextmanager

    @contextmanager
    def wide(model):
        size = model.heads.codebook_size
        model.heads.codebook_size = size + 1
        try:
            yield
        finally:
            model.heads.codebook_size = size

    return wide


def _plain_torch():
    path = FOLDER / "check_parity.py"
    spec = importlib.util.spec_from_file_location("check_parity", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _only(value):
    return sum(value.values()) if isinstance(value, dict) else value
