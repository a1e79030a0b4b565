"""A whole run: what one YAML file says. Each class is one mapping in it. Torch-free.

The string under a field is its documentation: `vall-e config init` writes it into the file it
makes, `vall-e config schema` into the schema. What the marks in a field's `metadata` mean:
`vall_e.config.field_metadata`.
"""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen, validators

from vall_e.config.choices import Choice, CodecChoice, PhonemizerChoice, TaskChoice
from vall_e.config.data import DataConfig
from vall_e.config.field_metadata import chosen, path
from vall_e.config.model import ModelConfig
from vall_e.config.requirements import requirements
from vall_e.config.synthesis import SamplingConfig, SynthesisConfig
from vall_e.config.training import TrainingConfig
from vall_e.config.validators import distinct


def _distinct_tasks(instance: object, attribute: Any, value: tuple[Choice, ...]) -> None:
    distinct(instance, attribute, tuple(task.component.name for task in value))


@frozen
class TextConfig:
    """From text to ids."""

    phonemizer: PhonemizerChoice = field(metadata=chosen("espeak"))
    """What turns text into phonemes."""
    normalize: bool = True
    """Write out numbers, dates and abbreviations before phonemizing."""
    languages: tuple[str, ...] = field(
        default=("en-us",), validator=[validators.min_len(1), distinct]
    )
    """The languages that the model is trained on, in the order of its language ids."""
    unknown: Literal["error", "warn"] = "warn"
    """A symbol that the vocabulary lacks: an error, or left out with a counted warning."""
    tokenizer: Literal["characters", "naive", "hf"] = "characters"
    """What becomes an id in a new model: each character; with `naive`, each character with the
    stress and length marks after it; with `hf`, each piece of `tokenizer_file`."""
    tokenizer_file: str = field(default="", metadata=path())
    """A `tokenizer.json` of Hugging Face's tokenizers. The weights keep its content."""


@frozen
class RunConfig:
    """A whole run: what one YAML file says, and what is saved beside the weights."""

    model: ModelConfig = field()
    codec: CodecChoice = field(metadata=chosen("embedded"))
    """What turns a waveform into residual codes and back."""
    text: TextConfig = field()
    sampling: SamplingConfig = field()
    training: TrainingConfig = field()
    tasks: tuple[TaskChoice, ...] = field(
        metadata=chosen(("tts",)), validator=[validators.min_len(1), _distinct_tasks]
    )
    """What the model learns: each task lays out its own sequences."""
    data: DataConfig = field(factory=DataConfig)
    synthesis: SynthesisConfig = field(factory=SynthesisConfig)
    requires: tuple[str, ...] = field(default=(), validator=requirements)
    """Packages that must be installed, as pip takes them: `["vall-e-backbone-mamba>=0.1"]`. They
    are looked for before anything else in this file is read."""
