"""Speed of the installed backbones compared with llama, in one run on one machine.

All have the same width, number of layers and heads, if they have such options; other options
keep their defaults. Weights are random, since the time does not depend on them.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any

import attrs
import torch
from attrs import evolve, frozen
from torch import Tensor

from vall_e.errors import VallEError
from vall_e.interfaces.attention import AttentionKernel
from vall_e.interfaces.backbone import Backbone, Cache, Stepping
from vall_e.registry import Offer

REFERENCE = "llama"


@frozen
class BackboneSize:
    """The size that every backbone is built and run with."""

    d_model: int = 256
    layers: int = 6
    heads: int = 4
    positions: int = 512
    """Of a row that is processed at once."""
    rows: int = 2
    """In a training step."""

    @classmethod
    def of(cls, options: attrs.AttrsInstance) -> BackboneSize:
        """The size of a backbone with these options, as far as it has such options."""
        own = {field.name for field in attrs.fields(type(options))}
        names = own & {"d_model", "layers", "heads"}
        return cls(**{name: getattr(options, name) for name in names})


@frozen
class BackboneFigures:
    """The figures of one backbone: passes per second, the median of repeated ones."""

    name: str
    parameters: int = 0
    prefill: float = 0.0
    """Passes over one row."""
    decode: float | None = None
    """Steps of one position after that; None without a cache."""
    training: float = 0.0
    """Steps: forward and backward."""
    state_bytes: int | None = None
    """Memory of one row's cache after all those positions; None without a cache."""
    reason: str = ""
    """Why it cannot be measured here; otherwise empty."""


def measure(
    offers: Sequence[Offer],
    kernel: AttentionKernel,
    device: torch.device,
    *,
    size: BackboneSize | None = None,
    repeats: int = 3,
) -> list[BackboneFigures]:
    """One row per component that can be used as a backbone, llama first."""
    ordered = sorted(offers, key=lambda offer: offer.component.name != REFERENCE)
    bench = Bench(kernel, device, size or BackboneSize(), repeats)
    return [bench.row(offer) for offer in ordered]


@frozen
class Bench:
    """Runs one backbone after another on the same vectors."""

    kernel: AttentionKernel
    device: torch.device
    size: BackboneSize
    repeats: int

    def row(self, offer: Offer) -> BackboneFigures:
        """Its figures, or the reason why there are none."""
        component = offer.component
        try:
            options = sized(component.config, self.size)
            backbone = component.build(options, attention=self.kernel).to(self.device)
        except VallEError as exc:
            return BackboneFigures(component.name, reason=str(exc))
        row = BackboneFigures(
            component.name,
            parameters=sum(p.numel() for p in backbone.parameters()),
            prefill=self._prefill(backbone.eval()),
            training=self._training(backbone.train()),
        )
        if not backbone.caches:
            return row
        cache = backbone.new_cache(1, self.size.positions + self.repeats + 1)
        decode = self._decode(backbone.eval(), cache)
        return evolve(row, decode=decode, state_bytes=state_bytes(cache))

    def _prefill(self, backbone: Backbone) -> float:
        x = self._vectors(1, self.size.positions, backbone.d_model)
        return self._rate(lambda: _run(backbone, x, 0, None))

    def _decode(self, backbone: Backbone, cache: Cache) -> float:
        x = self._vectors(1, self.size.positions, backbone.d_model)
        _run(backbone, x, 0, cache)
        ends = iter(range(self.size.positions, cache.max_length))
        if not isinstance(backbone, Stepping):
            return self._rate(lambda: _run(backbone, x[:, :1], next(ends), cache))
        step = backbone.steps()
        with torch.inference_mode():
            return self._rate(lambda: step(x[:, 0], _positions(x[:, :1], next(ends))[0], cache))

    def _training(self, backbone: Backbone) -> float:
        x = self._vectors(self.size.rows, self.size.positions, backbone.d_model)

        def step() -> None:
            hidden, auxiliary = backbone(
                x, lengths=_full(x), positions=_positions(x, 0), causal=True
            )
            (hidden.square().mean() + auxiliary).backward()  # type: ignore[no-untyped-call]

        return self._rate(step)

    def _vectors(self, rows: int, positions: int, width: int) -> Tensor:
        chance = torch.Generator().manual_seed(0)
        return torch.randn(rows, positions, width, generator=chance).to(self.device)

    def _rate(self, work: Callable[[], object]) -> float:
        """Runs per second; the first run, which fills caches, does not count."""
        seconds = []
        for _ in range(self.repeats + 1):
            started = perf_counter()
            work()
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            seconds.append(perf_counter() - started)
        return 1 / statistics.median(seconds[1:])


def sized(config: type[attrs.AttrsInstance], size: BackboneSize) -> Any:
    """An instance of a backbone's options with that size, as far as it has such options."""
    wanted = {"d_model": size.d_model, "layers": size.layers, "heads": size.heads}
    known = attrs.fields_dict(config)
    return config(**{name: value for name, value in wanted.items() if name in known})


def state_bytes(cache: object) -> int:
    """Bytes of the tensors that a cache holds, including nested lists and objects."""
    return sum(each.numel() * each.element_size() for each in _tensors(cache))


def _tensors(held: object) -> Iterable[Tensor]:
    if isinstance(held, Tensor):
        yield held
    elif isinstance(held, (list, tuple)):
        for each in held:
            yield from _tensors(each)
    elif hasattr(held, "__dict__"):
        for each in vars(held).values():
            yield from _tensors(each)


def _run(backbone: Backbone, x: Tensor, start: int, cache: Cache | None) -> None:
    with torch.no_grad():
        backbone(x, lengths=_full(x), positions=_positions(x, start), cache=cache)


def _full(x: Tensor) -> Tensor:
    return torch.full((len(x),), x.shape[1], device=x.device)


def _positions(x: Tensor, start: int) -> Tensor:
    return torch.arange(start, start + x.shape[1], device=x.device).expand(len(x), -1)
