"""What a sentence goes on from: silence, or the sentence before it."""

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
from vall_e.decoding.job import Job
from vall_e.errors import ConfigError
from vall_e.interfaces.codec import Codec
from vall_e.interfaces.task import Sample
from vall_e.text.vocabulary import Vocabulary


@frozen(eq=False)
class Past:
    """The sentence before."""

    text: Int[Tensor, " p"]
    codes: Int[Tensor, "k f"]


@frozen(eq=False)
class Context:
    """How sentences go on from what was before them."""

    way: Literal["none", "prompt", "prefix"]
    silence: Int[Tensor, "k f"]
    """What every sentence that has no other beginning begins with, unheard."""
    frames: int
    """Of the sentence before that are added to the prompt, its last ones."""
    gap: Int[Tensor, " g"]
    """What stands between two texts that become one."""

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

        Raises `ConfigError` where nothing can stand before a sentence, and should.
        """
        if not 0 < read <= levels:
            _require_none(options, levels, read)
        space = vocabulary.encode(" ", unknown="warn").ids[1:-1] if _has_space(vocabulary) else []
        return cls(
            options.context,
            _silence(options.silence_seconds, codec)[:levels],
            max(1, round(options.prompt_seconds * codec.frame_rate)),
            torch.tensor(space, dtype=torch.long),
        )

    @property
    def rolls(self) -> bool:
        """A sentence waits for the one before it."""
        return self.way != "none"

    def follow(self, job: Job, past: Past | None) -> Job:
        """The job as what comes after the sentence before; None: it is the first."""
        if past is not None and self.way == "prefix":
            text = torch.cat([past.text[:-1], self.gap, job.sample.text[1:]])
            return _begun(evolve(job, sample=evolve(job.sample, text=text)), past.codes)
        if past is not None and self.way == "prompt":
            job = evolve(job, sample=self._prompted(job, past))
        return _begun(job, self.silence) if self.silence.shape[1] else job

    def _prompted(self, job: Job, past: Past) -> Sample:
        sample = job.sample
        if sample.mix:
            raise ConfigError(
                "synthesis.context: prompt adds to a prompt, and the voice is a mixture",
                hint="give one voice, or set synthesis.context: prefix",
            )
        recent = past.codes[:, -self.frames :]
        if sample.prompt is None:
            return evolve(sample, prompt=recent)
        return evolve(sample, prompt=torch.cat([sample.prompt[: len(recent)], recent], dim=1))


def _require_none(options: SynthesisConfig, levels: int, read: int) -> None:
    option = "silence_seconds" if options.silence_seconds else "context"
    if option == "context" and options.context != "prefix":
        return
    why = f"must know {read} levels of what was before, and {levels} are written"
    raise ConfigError(
        f"synthesis.{option}: {getattr(options, option)} "
        + (why if read else "needs a model that writes level 0 frame by frame"),
        hint="set synthesis.levels: 0"
        if read
        else "leave it out (context: prompt works), or set sampling.level_0: ar, with a model that "
        "can do ar",
    )


def _begun(job: Job, codes: Int[Tensor, "k f"]) -> Job:
    """The job whose response has begun with these codes."""
    return evolve(job, sample=evolve(job.sample, response=codes[:1]), prefix=codes)


def _silence(seconds: float, codec: Codec) -> Int[Tensor, "k f"]:
    if not seconds:
        return torch.empty(codec.levels, 0, dtype=torch.long)
    samples = np.zeros(max(1, round(seconds * codec.sample_rate)), np.float32)
    codes = encode(Clip(samples, codec.sample_rate), codec)
    return torch.from_numpy(codes.values.astype("int64"))


def _has_space(vocabulary: Vocabulary) -> bool:
    return " " in vocabulary.symbols
