"""Decoding modes compared with each other, and with the memory bandwidth, in one run.

Models have random weights: the time of a frame does not depend on training. Times are CPU seconds
(`time.process_time`), wall-clock seconds on a GPU; the ratios are what matters.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter, process_time
from typing import Any, Literal

import torch
from attrs import asdict, evolve, frozen
from torch import Tensor

from vall_e.benchmarks.speed import COPIED_BYTES, Machine, bandwidth, machine_of, wait, weight_bytes
from vall_e.benchmarks.transformers_baseline import transformers_loop
from vall_e.config.load import structure
from vall_e.decoding.ar.loop import decode_ar, frames_between_looks
from vall_e.decoding.ar.state import Rows
from vall_e.decoding.nar.loop import decode_nar
from vall_e.decoding.sampler_chain import Chain
from vall_e.errors import UnavailableError
from vall_e.interfaces.task import Sample, Task
from vall_e.model.embedding import ModelSizes
from vall_e.model.sequence import Example
from vall_e.model.valle import Valle, build_valle
from vall_e.model.wrappers.reduced_precision import PRECISIONS, Precision, reduce
from vall_e.registry import Registry

ModelSize = Literal["full", "quarter", "embedded", "tiny"]
BATCH = 8
LONG_SECONDS = 2.0


@frozen
class Shape:
    """A model, and the input that it gets."""

    backbone: Mapping[str, Any]
    levels: int
    text: int = 60
    """Phonemes."""
    prompt: int = 225
    """Frames."""
    frames: int = 150
    """Number of frames to generate."""


_ORIGINAL = {"name": "llama", "layers": 12, "activation": "gelu"}
SHAPES: dict[ModelSize, Shape] = {
    "full": Shape({**_ORIGINAL, "d_model": 1024, "heads": 16, "d_ff": 4096}, levels=8),
    "quarter": Shape({**_ORIGINAL, "d_model": 256, "heads": 4, "d_ff": 1024}, levels=8),
    "embedded": Shape(
        {"name": "llama", "d_model": 192, "layers": 6, "heads": 4, "d_ff": 512}, levels=4
    ),
    "tiny": Shape(
        {"name": "llama", "d_model": 16, "layers": 1, "heads": 2, "d_ff": 64},
        levels=2, text=4, prompt=5, frames=4,
    ),
}  # fmt: skip


@frozen
class Original:
    """CPU seconds that e-c-k-e-r/vall-e took for a model of the same shape."""

    ar: float
    """150 frames of level 0, by its own loop, which has no cache."""
    nar: float
    """Seven more levels of 150 frames."""
    yardstick: float
    """The same 150 frames by the same backbone in Transformers, with a cache, on that machine."""


ORIGINALS: dict[ModelSize, Original] = {
    "full": Original(ar=260.0, nar=14.2, yardstick=8.97),
    "quarter": Original(ar=20.4, nar=1.19, yardstick=1.25),
}
"""Measured once, in fp32, on one thread of a machine with 2 cores, with 60 phonemes and a prompt of
225 frames. This machine may be slower or faster: the baseline is timed on both."""


@frozen
class ModeFigure:
    """A figure, and what it is compared with."""

    name: str
    seconds: float
    ratio: float = 1.0
    against: str = ""
    """What `ratio` refers to, in words."""


@frozen
class Comparison:
    machine: Machine
    size: ModelSize
    parameters: int
    bytes_per_second: float
    """Bandwidth of a large copy, reading and writing."""
    rows: Sequence[ModeFigure]
    missing: Sequence[str]
    """What could not be measured, and what to do about it."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(
    size: ModelSize,
    registry: Registry,
    *,
    device: torch.device,
    repeats: int = 3,
    copied_bytes: int = COPIED_BYTES,
) -> Comparison:
    """Measure everything for a model of one size; the fastest of `repeats` runs counts."""
    setting = Setting.of(SHAPES[size], registry, device)
    watch = DeviceTimer(device, repeats)
    speed = bandwidth(device, copied_bytes, clock=watch.clock)
    tables = [_in_precision(setting.reduced(p), watch, p, speed) for p in PRECISIONS]
    rows = [
        _beside_fp32(row, exact) for t in tables for row, exact in zip(t, tables[0], strict=True)
    ]
    rows += _loops(setting, watch)
    loop = next(row.seconds for row in rows if row.name == "AR loop")
    rows.append(_int8_loop(setting, watch, loop))
    missing = []
    try:
        rows += _yardstick(setting, watch, loop)
    except UnavailableError as exc:
        missing.append(f"{YARDSTICK}: {exc.message}; {exc.hint}")
    rows += _beside_original(size, {row.name: row.seconds for row in rows})
    count = sum(p.numel() for p in setting.model.parameters())
    return Comparison(machine_of(device, "fp32"), size, count, speed, rows, missing)


def _in_precision(
    setting: Setting, watch: DeviceTimer, precision: Precision, speed: float
) -> list[ModeFigure]:
    """An AR step, the prefill of text and prompt, and the NAR stage."""
    floor = weight_bytes(setting.model) / speed
    step = watch.least(setting.steps(), most=setting.shape.frames // STEPS) / STEPS
    return [
        ModeFigure(f"AR step, {precision}", step, step / floor, "of reading its weights once"),
        ModeFigure(f"prefill, {precision}", watch.least(lambda: setting.rows(1))),
        ModeFigure(f"NAR stage, {precision}", watch.least(setting.refine)),
    ]


def _beside_fp32(row: ModeFigure, exact: ModeFigure) -> ModeFigure:
    if row.against:
        return row
    return evolve(row, ratio=row.seconds / exact.seconds, against="of the same in fp32")


def _loops(setting: Setting, watch: DeviceTimer) -> list[ModeFigure]:
    """Level 0 from text and prompt to its last frame.

    Without a cache each frame needs the whole sequence; measured at the first and last frames.
    """
    frames = setting.shape.frames
    cached, batch = (watch.least(partial(setting.write, n)) for n in (1, BATCH))
    ends = [watch.least(partial(setting.whole_pass, n)) for n in (0, frames)]
    whole = sum(ends) / 2 * frames
    return [
        ModeFigure("AR loop", cached),
        ModeFigure("AR loop, no cache", whole, whole / cached, "of the AR loop"),
        ModeFigure(
            f"AR loop, batch of {BATCH}",
            batch,
            BATCH * cached / batch,
            "the throughput of batch size 1",
        ),
    ]


def _int8_loop(setting: Setting, watch: DeviceTimer, exact: float) -> ModeFigure:
    took = watch.least(partial(setting.reduced("int8").write, 1))
    return ModeFigure("AR loop, int8", took, exact / took, "times as fast as in fp32")


YARDSTICK = "AR loop, Transformers' Llama"


def _yardstick(setting: Setting, watch: DeviceTimer, ours: float) -> list[ModeFigure]:
    """The same frames by Transformers; only on the CPU, where e-c-k-e-r/vall-e was timed."""
    if setting.device.type != "cpu":
        return []
    shape = setting.shape
    sizes = {name: shape.backbone[name] for name in ("d_model", "layers", "heads", "d_ff")}
    loop = transformers_loop(**sizes, read=shape.text + shape.prompt, written=shape.frames)
    took = watch.least(loop)
    return [ModeFigure(YARDSTICK, took, took / ours, "of the AR loop")]


def _beside_original(size: ModelSize, seconds: Mapping[str, float]) -> list[ModeFigure]:
    """Known figures of e-c-k-e-r/vall-e, which is not run here."""
    if size not in ORIGINALS:
        return []
    known = ORIGINALS[size]
    theirs = {
        "AR loop": known.ar,
        "AR loop, int8": known.ar,
        "NAR stage, fp32": known.nar,
        "NAR stage, int8": known.nar,
    }
    stages = [(stage, took, "elsewhere") for stage, took in theirs.items()]
    if YARDSTICK in seconds:
        here = known.ar * seconds[YARDSTICK] / known.yardstick
        stages += [
            (stage, here, "scaled by the baseline") for stage in ("AR loop", "AR loop, int8")
        ]
    return [
        ModeFigure(
            f"e-c-k-e-r/vall-e: {stage}", took, took / seconds[stage], f"of the {stage}; {how}"
        )
        for stage, took, how in stages
    ]


STEPS = 2
"""AR steps in each measurement."""


@frozen(eq=False)
class DeviceTimer:
    """Measures seconds on a device."""

    device: torch.device
    repeats: int

    def least(self, work: Callable[[], object], *, most: int = 1 << 30) -> float:
        """The fastest of `repeats` runs (at most `most` in all), after one that fills caches.

        If that first run took long, it is the only one, and counts.
        """
        first = self._once(work)
        times = min(self.repeats, most - 1) if first < LONG_SECONDS else 0
        return min((self._once(work) for _ in range(times)), default=first)

    @property
    def clock(self) -> Callable[[], float]:
        return process_time if self.device.type == "cpu" else perf_counter

    def _once(self, work: Callable[[], object]) -> float:
        wait(self.device)
        started = self.clock()
        work()
        wait(self.device)
        return self.clock() - started


@frozen(eq=False)
class Setting:
    """A model with a request: random text, prompt and weights."""

    shape: Shape
    model: Valle
    task: Task
    draw: Chain
    sample: Sample
    response: Tensor
    """Level 0 of the target codes, (1, f)."""

    @classmethod
    def of(cls, shape: Shape, registry: Registry, device: torch.device) -> Setting:
        config = structure(
            {
                "model": {"backbone": dict(shape.backbone)},
                "text": {"phonemizer": "none", "languages": ["en-us"]},
                "sampling": {"ar": ["stop-ban", "greedy"]},
            },
            registry,
            source="bench --compare",
        )
        task = config.tasks[0].build()
        sizes = ModelSizes.of(
            levels=shape.levels, codebook_size=1024, vocabulary=256, languages=1, tasks=[task]
        )
        chance = torch.Generator().manual_seed(0)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = build_valle(config.model, sizes).to(device).eval()
        return cls(
            shape,
            model,
            task,
            Chain.of(config.sampling.ar, where="sampling.ar"),
            Sample(
                text=torch.randint(256, (shape.text,), generator=chance),
                language=0,
                prompt=torch.randint(1024, (shape.levels, shape.prompt), generator=chance),
                response=torch.zeros(1, 0, dtype=torch.long),
            ),
            torch.randint(1024, (1, shape.frames), generator=chance),
        )

    @property
    def device(self) -> torch.device:
        return self.model.device

    def reduced(self, precision: Precision) -> Setting:
        """The same with weights in fewer bits."""
        model = copy.deepcopy(self.model)
        reduce(model, precision)
        return Setting(self.shape, model, self.task, self.draw, self.sample, self.response)

    def rows(self, count: int) -> Rows:
        """Cached state after the prefill, with room for the frames to generate."""
        samples = [self.sample] * count
        return Rows(self.model, self.task, samples, most_frames=self.shape.frames)

    def steps(self) -> Callable[[], None]:
        """A function that generates `STEPS` more frames at each call."""
        rows, tokens = self.rows(1), torch.zeros(1, dtype=torch.long, device=self.device)

        def work() -> None:
            for _ in range(STEPS):
                rows.logits()
                rows.append(tokens)

        return work

    def write(self, count: int) -> None:
        """Generate level 0 for this many requests, to the last frame."""
        decode_ar(
            self.model,
            self.task,
            [self.sample] * count,
            draw=self.draw,
            generators=[torch.Generator() for _ in range(count)],
            max_frames=[self.shape.frames] * count,
            look_every=frames_between_looks(0, self.device),
        )

    @torch.inference_mode()
    def whole_pass(self, frames: int) -> None:
        """The work of a loop without a cache for one frame after this many."""
        written = Sample(
            text=self.sample.text,
            language=0,
            prompt=self.sample.prompt,
            response=self.response[:, :frames],
        )
        example = Example(tuple(self.task.segments(written, level=0)), 0)
        states, _, _ = self.model.hidden([example])
        self.model.logits(states, 0).argmax(-1)

    def refine(self) -> None:
        """Generate all levels but the first."""
        written = Sample(
            text=self.sample.text, language=0, prompt=self.sample.prompt, response=self.response
        )
        decode_nar(
            self.model,
            self.task,
            [written],
            draw=self.draw,
            generators=[torch.Generator()],
            levels=self.shape.levels,
        )
