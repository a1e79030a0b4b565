"""A component named in the config, with its options. Torch-free.

A `Choice` names a component; its other keys belong to that component's own config class. Each
subclass states what building the component requires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from attrs import Factory, field, frozen

from vall_e.registry import Component

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch

    from vall_e.interfaces.attention import AttentionKernel
    from vall_e.interfaces.audio_effect import AudioEffect
    from vall_e.interfaces.backbone import Backbone
    from vall_e.interfaces.codec import Codec
    from vall_e.interfaces.data_engine import DataEngine
    from vall_e.interfaces.embedder import Embedder
    from vall_e.interfaces.judge import Case, Judge
    from vall_e.interfaces.sampling import Sampler
    from vall_e.interfaces.store import Store
    from vall_e.interfaces.task import Task
    from vall_e.interfaces.text import Normalizer, Phonemizer
    from vall_e.interfaces.tracker import TrackedRun, Tracker
    from vall_e.interfaces.training import Engine
    from vall_e.interfaces.transcriber import Transcriber


@frozen
class Choice:
    """A component and its options: `{name: gru, layers: 4}` in YAML, or just `gru`.

    `name` is what the user wrote: the component's name, or `distribution:name`.
    """

    kind: ClassVar[str]
    component: Component[Any]
    options: Any
    name: str = field(
        default=Factory(lambda self: self.component.name, takes_self=True), eq=False, kw_only=True
    )
    owner: str = field(default="", eq=False, kw_only=True)
    """The distribution that provides the component; empty if no registry was consulted."""


@frozen
class BackboneChoice(Choice):
    kind = "backbone"

    def build(self, *, attention: AttentionKernel) -> Backbone:
        backbone: Backbone = self.component.build(self.options, attention=attention)
        return backbone


@frozen
class AttentionChoice(Choice):
    kind = "attention"

    def build(self) -> AttentionKernel:
        kernel: AttentionKernel = self.component.build(self.options)
        return kernel


@frozen
class CodecChoice(Choice):
    kind = "codec"

    def build(self) -> Codec:
        codec: Codec = self.component.build(self.options)
        return codec


@frozen
class SamplerChoice(Choice):
    kind = "sampler"

    def build(self) -> Sampler:
        sampler: Sampler = self.component.build(self.options)
        return sampler


@frozen
class TaskChoice(Choice):
    kind = "task"

    def build(self) -> Task:
        task: Task = self.component.build(self.options)
        return task


@frozen
class OptimizerChoice(Choice):
    kind = "optimizer"

    def build(self, parameters: Iterable[tuple[str, torch.nn.Parameter]]) -> torch.optim.Optimizer:
        optimizer: torch.optim.Optimizer = self.component.build(self.options, parameters=parameters)
        return optimizer


@frozen
class ScheduleChoice(Choice):
    kind = "schedule"

    def build(self, *, max_steps: int) -> Callable[[int], float]:
        schedule: Callable[[int], float] = self.component.build(self.options, max_steps=max_steps)
        return schedule


@frozen
class WrapperChoice(Choice):
    kind = "wrapper"

    def build(self) -> Callable[[torch.nn.Module], torch.nn.Module]:
        wrap: Callable[[torch.nn.Module], torch.nn.Module] = self.component.build(self.options)
        return wrap


@frozen
class NormalizerChoice(Choice):
    kind = "normalizer"

    def build(self) -> Normalizer:
        normalizer: Normalizer = self.component.build(self.options)
        return normalizer


@frozen
class PhonemizerChoice(Choice):
    kind = "phonemizer"

    def build(self) -> Phonemizer:
        phonemizer: Phonemizer = self.component.build(self.options)
        return phonemizer


@frozen
class EngineChoice(Choice):
    kind = "engine"

    def build(self) -> Engine:
        engine: Engine = self.component.build(self.options)
        return engine


@frozen
class TrackerChoice(Choice):
    kind = "tracker"

    def build(self, *, run: TrackedRun) -> Tracker:
        tracker: Tracker = self.component.build(self.options, run=run)
        return tracker


@frozen
class JudgeChoice(Choice):
    kind = "judge"

    def build(self, *, case: Case) -> Judge:
        judge: Judge = self.component.build(self.options, case=case)
        return judge


@frozen
class EmbedderChoice(Choice):
    kind = "embedder"

    def build(self) -> Embedder:
        embedder: Embedder = self.component.build(self.options)
        return embedder


@frozen
class TranscriberChoice(Choice):
    kind = "transcriber"

    def build(self, *, device: str) -> Transcriber:
        transcriber: Transcriber = self.component.build(self.options, device=device)
        return transcriber


@frozen
class StoreChoice(Choice):
    kind = "store"

    def build(self) -> Store:
        store: Store = self.component.build(self.options)
        return store


@frozen
class DataEngineChoice(Choice):
    kind = "data-engine"

    def build(self, *, workers: int) -> DataEngine:
        engine: DataEngine = self.component.build(self.options, workers=workers)
        return engine


@frozen
class AudioEffectChoice(Choice):
    kind = "audio-effect"

    def build(self) -> AudioEffect:
        effect: AudioEffect = self.component.build(self.options)
        return effect


@frozen
class StrategyChoice(Choice):
    """Built by the decoder, which knows the model."""

    kind = "strategy"
