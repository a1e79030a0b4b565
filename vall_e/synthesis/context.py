"""What a sentence continues from: silence, or the sentence before it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from attrs import evolve, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.audio.clip import Clip
from vall_e.codec.encode import encode
from vall_e.config.synthesis import SynthesisConfig
from vall_e.decoding.compatibility import CONTEXT_RULES, ContextFacts, require
from vall_e.decoding.job import Decoded, Job
from vall_e.errors import ConfigError
from vall_e.interfaces.codec import Codec
from vall_e.interfaces.task import Sample
from vall_e.text.vocabulary import Vocabulary


@frozen(eq=False)
class Context:
    """How sentences continue from what was before them."""

    way: Literal["none", "prompt", "prefix"]
    silence: Int[Tensor, "k f"]
    """Codes that a sentence without another beginning starts with; they are not played."""
    frames: int
    """How many of the last frames of the sentence before are added to the prompt."""
    gap: Int[Tensor, " g"]
    """Symbols between two texts that are joined."""

    @classmethod
    def of(
        cls,
        options: SynthesisConfig,
        codec: Codec,
        vocabulary: Vocabulary,
        *,
        levels: int,
        read: int,
    ) -> Context:
        """`read`: levels that the AR stage reads of what was before; 0: there is no such stage.

        Raises `ConfigError` where the model cannot continue as the options say.
        """
        facts = ContextFacts(
            context=options.context,
            silence_seconds=options.silence_seconds,
            levels=levels,
            read=read,
        )
        require(facts, CONTEXT_RULES)
        space = vocabulary.encode(" ", unknown="warn").ids[1:-1] if _has_space(vocabulary) else []
        return cls(
            options.context,
            _silence(options.silence_seconds, codec)[:levels],
            max(1, round(options.prompt_seconds * codec.frame_rate)),
            torch.tensor(space, dtype=torch.long),
        )

    @property
    def sequential(self) -> bool:
        """A sentence needs the one before it."""
        return self.way != "none"

    def follow(self, job: Job, previous: tuple[Job, Decoded] | None) -> Job:
        """The job as it continues from the sentence before; None: it is the first."""
        if previous is not None and self.way == "prefix":
            before, decoded = previous
            text = torch.cat([before.sample.text[:-1], self.gap, job.sample.text[1:]])
            return _begun(evolve(job, sample=evolve(job.sample, text=text)), decoded.codes)
        if previous is not None and self.way == "prompt":
            job = evolve(job, sample=self._prompted(job, previous[1]))
        return _begun(job, self.silence) if self.silence.shape[1] else job

    def _prompted(self, job: Job, previous: Decoded) -> Sample:
        sample = job.sample
        if sample.mix:
            raise ConfigError(
                "synthesis.context: prompt adds to a prompt, and the voice is a mixture",
                hint="give one voice, or set synthesis.context: prefix",
            )
        recent = previous.codes[:, -self.frames :]
        if sample.prompt is None:
            return evolve(sample, prompt=recent)
        return evolve(sample, prompt=torch.cat([sample.prompt[: len(recent)], recent], dim=1))


def _begun(job: Job, codes: Int[Tensor, "k f"]) -> Job:
    """The job with a response that begins with these codes."""
    return evolve(job, sample=evolve(job.sample, response=codes[:1]), prefix=codes)


def _silence(seconds: float, codec: Codec) -> Int[Tensor, "k f"]:
    if not seconds:
        return torch.empty(codec.levels, 0, dtype=torch.long)
    samples = np.zeros(max(1, round(seconds * codec.sample_rate)), np.float32)
    codes = encode(Clip(samples, codec.sample_rate), codec)
    return torch.from_numpy(codes.values.astype("int64"))


def _has_space(vocabulary: Vocabulary) -> bool:
    return " " in vocabulary.symbols
