"""A whole run as described by one YAML file. Each class is one mapping in it. Torch-free.

The string below a field is its documentation: `vall-e config init` writes it into the file, and
`vall-e config schema` into the schema. Marks in a field's `metadata` are explained in
`vall_e.config.field_metadata`.
"""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen, validators

from vall_e.config.choices import (
    Choice,
    CodecChoice,
    NormalizerChoice,
    PhonemizerChoice,
    TaskChoice,
)
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
    """From text to token ids."""

    phonemizer: PhonemizerChoice = field(metadata=chosen("espeak"))
    """Converts text to phonemes."""
    normalizer: NormalizerChoice = field(metadata=chosen("rules"))
    """Writes out numbers, dates and abbreviations, if `normalize` is true."""
    after_normalizer: tuple[NormalizerChoice, ...] = ()
    """Further normalizers, in this order: each gets the text that the one before it wrote."""
    normalize: bool = True
    """Write out numbers, dates and abbreviations, and leave out the signs of Markdown, before
    phonemizing."""
    lexicon: str = field(default="", metadata=path())
    """A file of pronunciations: on each line a word, a tab, and its phonemes. It is also looked for
    beside the weights."""
    inline_phonemes: bool = False
    """Take `[word](/phonemes/)` in a text for a word and its pronunciation."""
    languages: tuple[str, ...] = field(
        default=("en-us",), validator=[validators.min_len(1), distinct]
    )
    """Languages that the model is trained on, in the order of their ids."""
    unknown: Literal["error", "warn"] = "warn"
    """Symbols that are not in the vocabulary: an error, or dropped with a warning and a count."""
    tokenizer: Literal["characters", "naive", "hf"] = "characters"
    """Tokenization for a new model: `characters`; `naive`, characters together with the stress and
    length marks after them; or `hf`, the pieces of `tokenizer_file`."""
    tokenizer_file: str = field(default="", metadata=path())
    """A `tokenizer.json` of Hugging Face's tokenizers. Its content is stored in the weights."""


@frozen
class RunConfig:
    """A whole run: one YAML file, which is also saved with the weights."""

    model: ModelConfig = field()
    codec: CodecChoice = field(metadata=chosen("embedded"))
    """Converts a waveform to residual codes and back."""
    text: TextConfig = field()
    sampling: SamplingConfig = field()
    training: TrainingConfig = field()
    tasks: tuple[TaskChoice, ...] = field(
        metadata=chosen(("tts",)), validator=[validators.min_len(1), _distinct_tasks]
    )
    """What the model learns; each task has its own sequence layout."""
    data: DataConfig = field(factory=DataConfig)
    synthesis: SynthesisConfig = field(factory=SynthesisConfig)
    requires: tuple[str, ...] = field(default=(), validator=requirements)
    """Required packages, in pip's syntax: `["vall-e-backbone-mamba>=0.1"]`. They are checked before
    the rest of this file is read."""
