from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch
from attrs import evolve, frozen

from vall_e.audio.clip import Clip
from vall_e.config.load import structure
from vall_e.data.batching.corpus import Corpus
from vall_e.data.batching.mixing import Materials
from vall_e.discovery import registry_of
from vall_e.interfaces.codec import Codec
from vall_e.registry import Registry
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.training.setup import open_run
from vall_e.weights.file import Bundle

SIZES = {"levels": 2, "codebook_size": 16, "sample_rate": 8000}


@pytest.fixture(scope="session")
def registry(registry) -> Registry:
    """As it is where a distribution `staircase` is installed."""
    offers = [evolve(o, distribution="staircase") for o in registry_of([components]).offers]
    return Registry([*registry.offers, *offers])


@frozen
class Learnt:
    """A tiny model that knows the few utterances it was trained on by heart."""

    synthesizer: Synthesizer
    materials: Materials
    codec: Codec
    bundle: Bundle

    def doing(self, task: str) -> Learnt:
        """The same model, doing another of the tasks that it learnt."""
        parts = Parts.of(self.bundle, self.codec, task=task)
        return evolve(self, synthesizer=Synthesizer(parts, device="cpu"))

    @property
    def corpus(self) -> Corpus:
        return self.materials.corpus

    def sound(self, codes) -> Clip:
        return Clip(self.codec.decode(codes[None])[0, 0].numpy(), self.codec.sample_rate)


@frozen
class School:
    """Trains tiny models on a few utterances of two speakers, and on noise."""

    folder: Path
    registry: Registry
    codec: Codec

    def record(self, *texts: str, speakers: tuple[str, ...] = ("ann", "bob")) -> None:
        """Speakers take turns with the texts, which are spelt in capitals."""
        write_dataset(
            self.folder / "speech",
            self.codec,
            utterances=len(texts),
            speakers=speakers,
            texts=texts,
            spelt=str.upper,
        )

    def raw(self, *tasks: object, **data: object) -> dict[str, object]:
        greedy = [{"name": "greedy"}]
        return {
            "model": {"backbone": {"name": "llama", "d_model": 64, "layers": 2, "heads": 2}},
            "codec": {"name": "staircase", **SIZES},
            "text": {"phonemizer": "none"},
            "tasks": list(tasks),
            "data": {
                "train": [str(self.folder / "speech")],
                "noise": [str(self.folder / "noise")],
                "seconds": [0.05, 16.0],
                "prompt_seconds": [0.2, 0.3],
                "without_prompt": 0.0,
                "batch_seconds": 3,
                **data,
            },
            "sampling": {"ar": greedy, "nar": greedy},
            "synthesis": {"prompt_seconds": 0.3, "device": "cpu", "threads": 1},
            "training": {"device": "cpu", "levels": [0, 0, 0, 1], "threads": 1},
        }

    def teach(self, *tasks: object, steps: int, **data: object) -> Learnt:
        config = structure(self.raw(*tasks, **data), self.registry, source="test")
        run = open_run(config, self.folder / "run", registry=self.registry)
        model = run.bundle.model.train()
        optimizer = torch.optim.AdamW(model.parameters(), fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
        for batch in islice(run.loader, steps):
            optimizer.zero_grad()
            model.loss(batch.examples).total.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        name = config.tasks[0].component.name
        parts = Parts.of(run.bundle, self.codec, task=name)
        materials = run.loader.maker.materials
        return Learnt(Synthesizer(parts, device="cpu"), materials, self.codec, run.bundle)


@pytest.fixture
def school(tmp_path, registry) -> School:
    """Ann and Bob say a word each; the noise is two sounds in turn."""
    codec = StaircaseCodec(**SIZES)
    write_dataset(
        tmp_path / "noise", codec, utterances=1, speakers=("rain",), seed=9, texts=("hm",)
    )
    school = School(tmp_path, registry, codec)
    school.record("tone", "bush")
    return school
