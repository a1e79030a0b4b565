"""Options of what a run learns from. Torch-free."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen, validators

from vall_e.config.field_metadata import path
from vall_e.config.validators import ascending, distinct, in_order, not_negative, probability


def _one_for_each_of_train(instance: DataConfig, attribute: Any, value: tuple[float, ...]) -> None:
    if value and len(value) != len(instance.train):
        raise ValueError(f"must have one number for each folder of `train`: {list(value)}")
    if value and (min(value) < 0 or sum(value) <= 0):
        raise ValueError(f"must be positive numbers: {list(value)}")


def _beside_without_text(instance: DataConfig, attribute: Any, value: float) -> None:
    if value + instance.without_text > 1:
        raise ValueError(f"must be at most 1 with `without_text` added: {value}")


def _parts(instance: DataConfig, attribute: Any, value: tuple[int, int]) -> None:
    if not 1 <= value[0] <= value[1]:
        raise ValueError(f"must be two numbers from 1 on, the smaller first: {list(value)}")


def _limits_batches(instance: DataConfig, attribute: Any, value: int) -> None:
    if not value and not instance.batch_seconds:
        raise ValueError("must be over 0 where `batch_seconds` is 0: something must end a batch")


@frozen
class DataConfig:
    """What to train on, and how samples are cut."""

    train: tuple[str, ...] = field(default=(), metadata=path())
    """Folders made by `vall-e data process`, with * and ? for any characters of a name and ** for
    any folders; relative paths count from the YAML file."""
    validation: tuple[str, ...] = field(default=(), metadata=path())
    """Held-out folders of the same kind. Empty: no validation."""
    noise: tuple[str, ...] = field(default=(), metadata=path())
    """Folders of noise, made by `vall-e data process --voices-only`: for the tasks ns, sr, nse."""
    shares: tuple[float, ...] = field(default=(), validator=_one_for_each_of_train)
    """How often each path of `train` is drawn from; empty: by their number of utterances."""
    balance: tuple[Literal["folder", "group", "language", "speaker"], ...] = field(
        default=(), validator=distinct
    )
    """What is drawn equally often, instead of each utterance: [speaker] makes a speaker with a
    hundred recordings no more frequent than one with ten, [language, speaker] each language and in
    it each speaker. A `group` is a folder, or what stands before the last / of its speakers' names.
    With `shares`, within each folder."""
    order: Literal["duration", "length", "interleaved", "random"] = "length"
    """What goes into a batch together: samples of about the same `length` of audio and text, which
    pads least, or of about the same `duration` of audio; or whatever comes next, drawn at `random`
    or with the speakers `interleaved`."""
    seconds: tuple[float, float] = field(default=(0.5, 16.0), validator=in_order)
    """Utterances outside of this range are left out, and counted."""
    speakers: tuple[str, ...] = ()
    """Only speakers with such names are learnt from: [LibriTTS/*, ann]. Empty: all."""
    min_utterances: int = field(default=1, validator=validators.ge(1))
    """Speakers with fewer, of those that are left, are left out: with 2, each sample can have a
    prompt."""
    max_utterances: int = field(default=0, validator=not_negative)
    """Of a speaker with more so many are taken, evenly over all. 0: all."""
    prompt_seconds: tuple[float, float] = field(default=(1.0, 3.0), validator=in_order)
    """How much of the speaker's other recordings a sample hears; drawn for each sample."""
    prompt_parts: tuple[int, int] = field(default=(1, 1), validator=_parts)
    """From how many recordings a prompt is glued, a part of each; drawn for each sample. More are
    taken where these are too short."""
    prompt_similar: float = field(default=0.0, validator=probability)
    """Share of the prompts that come from the recordings most similar to the utterance, as
    `vall-e data similar` has listed them beside each dataset."""
    prompt_nearest: int = field(default=4, validator=validators.ge(1))
    """How many of the listed ones, the most similar first, `prompt_similar` draws from."""
    prompt_noise: float = field(default=0.0, validator=probability)
    """Share of the prompts that noise of `noise` is mixed into."""
    prompt_noise_decibels: tuple[float, float] = field(default=(5.0, 20.0), validator=ascending)
    """How much louder than that noise the prompt is; drawn for each sample."""
    appended: float = field(default=0.0, validator=probability)
    """Share of the samples where other utterances of the speaker follow, as one recording. Not for
    the tasks vc, cse, nse, phn and un-phn."""
    appended_utterances: int = field(default=1, validator=validators.ge(1))
    """At most so many are `appended`, and none that would exceed the longest of `seconds`."""
    silence: float = field(default=0.0, validator=probability)
    """Share of the samples with silence before and after the utterance. Not for the task len."""
    silence_seconds: tuple[float, float] = field(default=(0.1, 0.5), validator=in_order)
    """How much `silence` there is at either end; drawn for each."""
    without_prompt: float = field(default=0.05, validator=probability)
    """Share of the samples that get no prompt (a speaker with one recording never gets one)."""
    without_text: float = field(default=0.0, validator=probability)
    """Share of the samples whose text is left out. `sampling.guidance` needs some, 0.1 say: it
    compares what the model expects with the text and without."""
    without_both: float = field(default=0.0, validator=[*probability, _beside_without_text])
    """Share of the samples, on top of `without_text`, that lose their text and their prompt. Wanted
    by `sampling.guidance_without: [text, prompt]`."""
    batch_seconds: float = field(default=60.0, validator=not_negative)
    """A batch holds so much audio, prompts included, padding included. 0: as much as
    `batch_size` samples have."""
    batch_size: int = field(default=0, validator=[not_negative, _limits_batches])
    """A batch holds at most so many samples, however short they are. 0: as many as fit in."""
    bad_items: Literal["error", "skip"] = "error"
    """Utterances whose codes are damaged, or not of the dataset's codec: end the run with the name
    of the first, or leave each out of its batch, warn of it and count."""
    workers: int = field(default=0, validator=not_negative)
    """Loader processes; 0 reads in the training process."""
