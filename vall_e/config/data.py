"""Options of the training data. Torch-free."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen, validators

from vall_e.config.field_metadata import path
from vall_e.config.validators import ascending, distinct, in_order, not_negative, probability


def _one_for_each_of_train(instance: DataConfig, attribute: Any, value: tuple[float, ...]) -> None:
    if value and len(value) != len(instance.train):
        raise ValueError(f"must have one number for each folder in `train`: {list(value)}")
    if value and (min(value) < 0 or sum(value) <= 0):
        raise ValueError(f"must be positive numbers: {list(value)}")


def _beside_without_text(instance: DataConfig, attribute: Any, value: float) -> None:
    if value + instance.without_text > 1:
        raise ValueError(f"must be at most 1 with `without_text` added: {value}")


def _parts(instance: DataConfig, attribute: Any, value: tuple[int, int]) -> None:
    if not 1 <= value[0] <= value[1]:
        raise ValueError(f"must be two numbers of at least 1, the smaller first: {list(value)}")


def _limits_batches(instance: DataConfig, attribute: Any, value: int) -> None:
    if not value and not instance.batch_seconds:
        raise ValueError("must be over 0 if `batch_seconds` is 0, so that batches have a limit")


@frozen
class DataConfig:
    """What to train on, and how samples are put together."""

    train: tuple[str, ...] = field(default=(), metadata=path())
    """Folders made by `vall-e data process`. Wildcards: * and ? match any characters within a name,
    ** matches any folders. Relative paths start at the YAML file."""
    validation: tuple[str, ...] = field(default=(), metadata=path())
    """Validation folders of the same kind. Empty: no validation."""
    noise: tuple[str, ...] = field(default=(), metadata=path())
    """Folders of noise, made by `vall-e data process --voices-only`, for the tasks ns, sr and
    nse."""
    shares: tuple[float, ...] = field(default=(), validator=_one_for_each_of_train)
    """Sampling weight of each path in `train`; empty: by number of utterances."""
    balance: tuple[Literal["folder", "group", "language", "speaker"], ...] = field(
        default=(), validator=distinct
    )
    """Sample these uniformly instead of single utterances: with [speaker], a speaker with a hundred
    recordings is no more frequent than one with ten; [language, speaker] balances languages, then
    the speakers of each language. A `group` is a folder, or the part of the speaker names before
    the last /. With `shares`, this is done within each folder."""
    order: Literal["duration", "length", "interleaved", "random"] = "length"
    """Which samples share a batch: those of similar `length` of audio and text (least padding),
    those of similar `duration` of audio, or simply the next ones, in `random` order or with the
    speakers `interleaved`."""
    seconds: tuple[float, float] = field(default=(0.5, 16.0), validator=in_order)
    """Shortest and longest utterance. Others are left out and counted."""
    speakers: tuple[str, ...] = ()
    """Use only speakers whose names match: [LibriTTS/*, ann]. Empty: all."""
    min_utterances: int = field(default=1, validator=validators.ge(1))
    """Leave out speakers with fewer remaining utterances than this; with 2, each sample can have a
    prompt."""
    max_utterances: int = field(default=0, validator=not_negative)
    """Use at most this many utterances of each speaker, spread evenly over all. 0: no limit."""
    prompt_seconds: tuple[float, float] = field(default=(1.0, 3.0), validator=in_order)
    """Length of the prompt, taken from the speaker's other recordings; drawn for each sample."""
    prompt_parts: tuple[int, int] = field(default=(1, 1), validator=_parts)
    """Number of recordings that a prompt is joined from, with a part of each; drawn for each
    sample. If they are too short, more are used."""
    prompt_similar: float = field(default=0.0, validator=probability)
    """Share of the prompts taken from the recordings most similar to the utterance, as listed next
    to each dataset by `vall-e data similar`."""
    prompt_nearest: int = field(default=4, validator=validators.ge(1))
    """How many of the most similar recordings `prompt_similar` chooses from."""
    prompt_noise: float = field(default=0.0, validator=probability)
    """Share of the prompts that are mixed with noise from `noise`."""
    prompt_noise_decibels: tuple[float, float] = field(default=(5.0, 20.0), validator=ascending)
    """Signal-to-noise ratio of those prompts; drawn for each sample."""
    appended: float = field(default=0.0, validator=probability)
    """Share of the samples to which other utterances of the speaker are appended, as one recording.
    Not for the tasks vc, cse, nse, phn and un-phn."""
    appended_utterances: int = field(default=1, validator=validators.ge(1))
    """The most utterances that are `appended`. The result never exceeds the maximum of
    `seconds`."""
    silence: float = field(default=0.0, validator=probability)
    """Share of the samples with silence before and after the utterance. Not for the task len."""
    silence_seconds: tuple[float, float] = field(default=(0.1, 0.5), validator=in_order)
    """Length of the `silence` at each end; drawn for each end."""
    without_prompt: float = field(default=0.05, validator=probability)
    """Share of the samples without a prompt (speakers with one recording never get one)."""
    without_text: float = field(default=0.0, validator=probability)
    """Share of the samples without text. Needed for `sampling.guidance`, which compares the model's
    predictions with and without the text; 0.1 is a good value."""
    without_both: float = field(default=0.0, validator=[*probability, _beside_without_text])
    """Share of the samples without text and without prompt, in addition to `without_text`. Needed
    for `sampling.guidance_without: [text, prompt]`."""
    batch_seconds: float = field(default=60.0, validator=not_negative)
    """Audio in a batch, including prompts and padding. 0: as much as `batch_size` samples have."""
    batch_size: int = field(default=0, validator=[not_negative, _limits_batches])
    """The most samples in a batch, however short they are. 0: as many as fit in `batch_seconds`."""
    bad_items: Literal["error", "skip"] = "error"
    """Utterances with damaged codes, or codes of another codec: stop the run and name the first, or
    leave each out of its batch, with a warning and a count."""
    workers: int = field(default=0, validator=not_negative)
    """Loader processes; 0 loads in the training process."""
