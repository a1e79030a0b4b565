"""A registry with small components of every kind that a run names."""

from __future__ import annotations

import enum
from pathlib import Path

import pytest
from attrs import field, frozen, validators

from vall_e.discovery import registry_of
from vall_e.plugin import Component, ConfigError, hookimpl
from vall_e.registry import Registry


@frozen
class NoOptions:
    """No options."""


@frozen
class LlamaConfig:
    """A transformer."""

    d_model: int = field(default=64, validator=validators.gt(0))
    """Width of the vectors."""
    layers: int = field(default=2, validator=[validators.ge(1), validators.le(100)])
    heads: int = field(default=4, validator=validators.gt(0))
    """Query heads; they share out the width."""
    rope: float = 10_000.0

    def __attrs_post_init__(self) -> None:
        if self.d_model % self.heads:
            raise ConfigError(
                f"d_model ({self.d_model}) must be divisible by heads ({self.heads})",
                hint=f"try d_model: {self.heads * 16}",
            )


@frozen
class GruConfig:
    d_model: int = 64
    layers: int = 2


class Quality(enum.Enum):
    LOW = "low"
    HIGH = "high"


@frozen
class Rates:
    fast: float
    slow: float = 0.5


@frozen
class FileConfig:
    """A codec that needs a file."""

    weights: Path
    """File of the weights."""
    bits: tuple[int, int] = (8, 10)
    quality: Quality = Quality.HIGH
    gains: dict[str, float] = field(factory=dict)
    device: str | None = None
    rates: Rates = field(factory=lambda: Rates(1.0))
    _scale: float = 1.0


@frozen
class TopPConfig:
    p: float = field(default=0.9, validator=[validators.gt(0), validators.le(1)])
    """Nucleus size."""


@frozen
class PlaceConfig:
    folder: Path = Path("cache")


@frozen
class AdamConfig:
    lr: float = 3e-4
    betas: tuple[float, float] = (0.9, 0.98)
    groups: frozenset[str] = frozenset()


def build(config: object) -> object:
    return config


def offer(name: str, config: type = NoOptions) -> Component:
    return Component(name=name, config=config, build=build, summary=f"a fake {name}")


class Plugin:
    @hookimpl
    def vall_e_register_backbones(self):
        return [offer("llama", LlamaConfig), offer("gru", GruConfig)]

    @hookimpl
    def vall_e_register_attentions(self):
        return [offer("auto"), offer("eager")]

    @hookimpl
    def vall_e_register_codecs(self):
        return [offer("embedded"), offer("file", FileConfig)]

    @hookimpl
    def vall_e_register_normalizers(self):
        return [offer("rules")]

    @hookimpl
    def vall_e_register_phonemizers(self):
        return [offer("espeak"), offer("none", PlaceConfig)]

    @hookimpl
    def vall_e_register_optimizers(self):
        return [offer("adamw", AdamConfig)]

    @hookimpl
    def vall_e_register_schedules(self):
        return [offer("cosine")]

    @hookimpl
    def vall_e_register_engines(self):
        return [offer("local")]

    @hookimpl
    def vall_e_register_strategies(self):
        return [offer("auto"), offer("demask")]

    @hookimpl
    def vall_e_register_wrappers(self):
        return [offer("compile")]

    @hookimpl
    def vall_e_register_tasks(self):
        return [offer("tts")]

    @hookimpl
    def vall_e_register_samplers(self):
        return [
            offer("greedy"),
            offer("top-p", TopPConfig),
            offer("repetition-aware", TopPConfig),
        ]


@pytest.fixture(scope="session")
def registry() -> Registry:
    return registry_of([Plugin()])
