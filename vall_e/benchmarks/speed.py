"""Speed of synthesis and training on this machine, compared with the memory bandwidth."""

from __future__ import annotations

import copy
import os
import platform
import statistics
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from attrs import asdict, evolve, frozen

from vall_e.interfaces.task import Sample
from vall_e.memory import peak_bytes
from vall_e.model.patterns import places_of
from vall_e.model.sequence import Example
from vall_e.model.valle import Valle
from vall_e.synthesis.synthesizer import Synthesizer

TEXT = "The birch canoe slid on the smooth planks, and the sheet was glued to the dark blue board."
COPIED_BYTES = 1 << 28  # 256 MiB: more than any cache holds
TRAINING_SECONDS = 5.0
"""Seconds of speech in each example of the training measurement."""


@frozen
class Machine:
    """Where it was measured; figures mean nothing without this."""

    system: str
    processor: str
    cores: int
    device: str
    threads: int
    dtype: str
    torch: str


@frozen
class SpeedReport:
    """The figures; for repeated ones, the median."""

    machine: Machine
    parameters: int
    audio_seconds: float
    """Length of the generated sentence."""
    rtf: float
    """Seconds of work per second of audio."""
    first_audio_seconds: float
    """Time until the first chunk of a stream."""
    ar_steps_per_second: float
    weight_bytes: int
    """Weights that one AR step reads: the backbone, and the output heads in use."""
    bytes_per_second: float
    """Bandwidth of a large copy, reading and writing."""
    peak_memory_bytes: int | None
    """Of the process, or of the GPU if the model is on one; None if unknown."""
    training_tokens_per_second: float | None
    """Forward, backward and AdamW; all positions count as tokens. None with quantized weights,
    which are for inference only."""

    @property
    def ar_steps_limit(self) -> float:
        """AR steps per second if reading the weights were all the work.

        A model that fits into the processor's cache can be faster.
        """
        return self.bytes_per_second / self.weight_bytes

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ar_steps_limit": self.ar_steps_limit}


def measure(
    synthesizer: Synthesizer,
    *,
    repeats: int = 3,
    training_steps: int = 3,
    copied_bytes: int = COPIED_BYTES,
) -> SpeedReport:
    """Synthesize a sentence `repeats` times, after one that does not count; then train a copy."""
    model = synthesizer.model
    synthesizer.synthesize("Hello.", seed=0)
    results = [synthesizer.synthesize(TEXT, seed=seed) for seed in range(repeats)]
    weights = weight_bytes(model)
    peak = _peak_memory(synthesizer.device)  # before training takes more
    return SpeedReport(
        machine=machine_of(model.device, synthesizer.config.synthesis.weights),
        parameters=sum(p.numel() for p in model.parameters()),
        audio_seconds=statistics.median(r.seconds for r in results),
        rtf=statistics.median(r.rtf for r in results),
        first_audio_seconds=statistics.median(r.timings.first_audio_seconds for r in results),
        ar_steps_per_second=statistics.median(
            len(places_of(model.pattern, r.codes.values.shape[1])) / r.timings.ar_seconds
            for r in results
        ),
        weight_bytes=weights,
        bytes_per_second=bandwidth(synthesizer.device, copied_bytes),
        peak_memory_bytes=peak,
        training_tokens_per_second=_training_speed(synthesizer, training_steps)
        if synthesizer.config.synthesis.weights == "fp32"
        else None,
    )


def machine_of(device: torch.device, weights: str) -> Machine:
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        cores=os.cpu_count() or 1,
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        threads=torch.get_num_threads(),
        dtype=weights,
        torch=torch.__version__,
    )


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def weight_bytes(model: Valle) -> int:
    """Bytes that one AR step reads: the backbone, and the output heads in use."""
    heads = ("heads.layers.", "heads.group.") if model.stepwise else ("heads.layers.0.",)
    read = ("backbone.", *heads)
    tensors = [t for name, t in model.state_dict().items() if name.startswith(read)]
    return sum(t.numel() * t.element_size() for t in tensors)


def bandwidth(
    device: torch.device, size: int, *, clock: Callable[[], float] = perf_counter
) -> float:
    """Bytes per second of a copy, reading and writing."""
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    target.copy_(source)  # the first copy allocates the pages
    seconds = []
    for _ in range(5):
        wait(device)
        started = clock()
        target.copy_(source)
        wait(device)
        seconds.append(clock() - started)
    return 2 * size / min(seconds)


def _peak_memory(device: torch.device) -> int | None:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return peak_bytes()


def _training_speed(synthesizer: Synthesizer, steps: int) -> float:
    model = copy.deepcopy(synthesizer.model).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    examples = _examples(synthesizer)
    tokens = sum(len(segment) for example in examples for segment in example.segments)

    def train(steps: int) -> float:
        started = perf_counter()
        for _ in range(steps):
            optimizer.zero_grad()
            model.loss(examples).total.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        wait(model.device)
        return perf_counter() - started

    train(1)  # the first one allocates
    return tokens * steps / train(steps)


def _examples(synthesizer: Synthesizer) -> list[Example]:
    """One with random codes for each stage that the model supports."""
    model, codec = synthesizer.model, synthesizer.codec
    chance = torch.Generator().manual_seed(0)

    def codes(seconds: float) -> torch.Tensor:
        shape = (codec.levels, round(seconds * codec.frame_rate))
        return torch.randint(codec.codebook_size, shape, generator=chance)

    sample = Sample(
        text=torch.randint(4, model.sizes.vocabulary, (80,), generator=chance),
        language=0,
        prompt=codes(synthesizer.config.synthesis.prompt_seconds),
        response=codes(TRAINING_SECONDS),
    )
    levels = [0] if "ar" in model.config.capabilities else []
    levels += [codec.levels - 1] if "nar" in model.config.capabilities else []
    return [_example(synthesizer, sample, level) for level in levels for _ in range(2)]


def _example(synthesizer: Synthesizer, sample: Sample, level: int) -> Example:
    levels = level + 1 if level else synthesizer.model.ar_levels
    known = evolve(sample, response=sample.response[:levels])
    return Example(tuple(synthesizer.task.segments(known, level=level)), level)


def wait(device: torch.device) -> None:
    """Synchronize with the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
