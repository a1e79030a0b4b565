"""Steps that are recorded once and replayed, as CUDA graphs.

The host then launches one graph for each step instead of a hundred kernels or more.

A recording reads and writes fixed memory. So a step's inputs are copied to where the recorded step
reads them, and its outputs are copied away. The cache stays where it is. https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from attrs import frozen
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.errors import UnavailableError
from vall_e.interfaces.backbone import Backbone, Cache, SteadyCache, Stepping
from vall_e.model.valle import Valle

log = logging.getLogger(__name__)

Work = Callable[[], None]
Recorder = Callable[[Work], Work]
"""Runs some work at least once, and returns a function that repeats it with the same tensors."""
Step = Callable[[Tensor, Tensor, Cache], Tensor]
"""As of `Stepping.steps`."""

STRIDE = 256
"""A recorded step reads at most this many positions more than needed; then it is recorded again."""
WARM_UPS = 3
"""Steps before the recording, in which libraries allocate what they need, as PyTorch advises."""


class Replayed:
    """A step that is recorded once for each cache, and again for each `stride` that a cache grows.

    When rows leave, the cache is a new one, so only the last recording is kept.
    """

    def __init__(self, step: Step, record: Recorder, *, stride: int = STRIDE) -> None:
        self._step = step
        self._record = record
        self._stride = stride
        self._last: CapturedStep | None = None

    def __call__(
        self, x: Float[Tensor, "n d"], positions: Int[Tensor, " n"], cache: Cache
    ) -> Float[Tensor, "n d"]:
        if not isinstance(cache, SteadyCache):
            raise TypeError(f"{type(cache).__name__} does not support recorded steps")
        index = cache.grow()
        size = min(-(-cache.reach // self._stride) * self._stride, cache.max_length)
        last = self._last
        if last is None or last.cache is not cache or last.size != size:
            self._last = None  # frees its memory for the next one
            last = CapturedStep(self._step, self._record, x, positions, index, cache, size)
            self._last = last
        return last(x, positions, index)


class CapturedStep:
    """One step, of `size` positions of a cache."""

    def __init__(
        self,
        step: Step,
        record: Recorder,
        x: Float[Tensor, "n d"],
        positions: Int[Tensor, " n"],
        index: Int[Tensor, " n"],
        cache: SteadyCache,
        size: int,
    ) -> None:
        self.cache = cache
        self.size = size
        self._x, self._positions = x.clone(), positions.clone()
        self._steady = cache.steady(size)
        self._steady.lengths.copy_(index)  # the work is done before the first call too
        self._states = x
        # Nothing that work reads is changed by it, so that it may be done any number of times.

        def work() -> None:
            self._states = step(self._x, self._positions, self._steady)

        self._replay = record(work)

    def __call__(
        self, x: Float[Tensor, "n d"], positions: Int[Tensor, " n"], index: Int[Tensor, " n"]
    ) -> Float[Tensor, "n d"]:
        self._x.copy_(x)
        self._positions.copy_(positions)
        self._steady.lengths.copy_(index)
        self._replay()
        return self._states.clone()


@frozen(eq=False)
class Graphs:
    """The recorder of steps, if there is one."""

    record: Recorder | None = None
    required: bool = False
    """`graphs: on`: an error where steps cannot be recorded."""

    @classmethod
    def of(cls, option: Literal["off", "auto", "on"], model: Valle, *, wrapped: bool) -> Graphs:
        """By `synthesis.graphs`, for a model on its device.

        Raises `UnavailableError` where graphs are required and not possible.
        """
        if option == "off":
            return cls()
        name = model.config.backbone.name
        reason = why_not(model.backbone, model.device, name=name, wrapped=wrapped)
        if not reason:
            return cls(partial(record_on_cuda, device=model.device), required=option == "on")
        if option == "on":
            raise UnavailableError(
                f"synthesis.graphs: steps cannot be recorded: {reason}",
                hint="set synthesis.graphs: auto, which uses graphs only where they work",
            )
        log.info("no CUDA graphs: %s", reason)
        return cls()


def why_not(backbone: Backbone, device: torch.device, *, name: str, wrapped: bool) -> str:
    """Why the steps of a backbone cannot be recorded; empty if they can."""
    if device.type != "cuda":
        return f"the model is on {device.type}, and only CUDA has graphs"
    if wrapped:
        return "the model is wrapped (synthesis.wrappers), which graphs may not support"
    if not isinstance(backbone, Stepping):
        return f"the backbone {name} has no step of its own"
    if not isinstance(backbone.new_cache(1, 1), SteadyCache):
        return f"the cache of the backbone {name} has no steady shape"
    return ""


def record_on_cuda(work: Work, *, device: torch.device) -> Work:
    """A CUDA graph of the work. `UnavailableError` where a graph cannot hold it."""
    try:
        with torch.cuda.device(device):
            aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(WARM_UPS):
                    work()
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                work()
    except torch.OutOfMemoryError:
        raise  # nothing is wrong with the step
    except RuntimeError as exc:
        raise UnavailableError(
            f"synthesis.graphs: a step cannot be recorded: {str(exc).splitlines()[0]}",
            hint="set synthesis.graphs: off, or try model.attention: sdpa",
        ) from exc
    return graph.replay
