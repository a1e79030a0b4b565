"""Reference outputs of the project that this one learnt from, on small random weights.

They are not part of this repository. Its files are read as any user's are.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file, save_file

from vall_e.decoding.ar.loop import decode_ar
from vall_e.interfaces.task import Sample
from vall_e.model.sequence import Example
from vall_e.weights.file import load

FOLDER = Path(
    os.environ.get("VALL_E_PARITY", Path(__file__).parents[2].parent / "shared" / "parity")
)
NAMES = {
    "default": "nov04_default_d64_l4",
    "released": "nov04_released_d64_l8",
    "length": "nov19_len_d32_l4",
}


class Greedy:
    def draw(self, history, logits, generators):
        return logits.argmax(-1)


class Reference:
    """A folder of fixtures, and what our reader makes of its model."""

    def __init__(self, source, variant, registry, folder, **experimental):
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
        self.path = folder / f"{source.name}-{variant}-{len(experimental)}.sft"
        metadata = {key: json.dumps(value) for key, value in facts.items()}
        save_file(self.state, self.path, metadata=metadata)
        self.bundle = load(self.path, registry)
        self.model = self.bundle.model
        self.task = self.bundle.config.tasks[0].build()

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
        return [row.level_0 for row in rows]


class References(dict):
    """By model and variant; each is made when it is first asked for."""

    def __init__(self, registry, folder):
        super().__init__()
        self.registry = registry
        self.folder = folder

    def __missing__(self, key):
        self[key] = self.made(*key)
        return self[key]

    def made(self, name, variant, **experimental):
        """A model of its own, with other options of e-c-k-e-r/vall-e."""
        return Reference(FOLDER / NAMES[name], variant, self.registry, self.folder, **experimental)


@pytest.fixture(scope="session")
def parity_folder():
    if not FOLDER.is_dir():
        pytest.skip(f"no fixtures in {FOLDER}; VALL_E_PARITY may name their folder")
    return FOLDER


@pytest.fixture(scope="session")
def references(registry, tmp_path_factory, parity_folder):
    return References(registry, tmp_path_factory.mktemp("originals"))


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
