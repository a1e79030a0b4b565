"""Options of what a run learns from. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

if TYPE_CHECKING:
    pass
from vall_e.config.bounds import in_order, not_negative, positive, probability
from vall_e.config.marks import path


def _one_for_each_of_train(instance: DataConfig, attribute: Any, value: tuple[float, ...]) -> None:
    if value and len(value) != len(instance.train):
        raise ValueError(f"must have one number for each folder of `train`: {list(value)}")
    if value and (min(value) < 0 or sum(value) <= 0):
        raise ValueError(f"must be positive numbers: {list(value)}")


def _beside_without_text(instance: DataConfig, attribute: Any, value: float) -> None:
    if value + instance.without_text > 1:
        raise ValueError(f"must be at most 1 with `without_text` added: {value}")


@frozen
class DataConfig:
    """What to train on, and how samples are cut."""

    train: tuple[str, ...] = field(default=(), metadata=path())
    """Folders made by `vall-e data process`; relative paths count from the YAML file."""
    validation: tuple[str, ...] = field(default=(), metadata=path())
    """Held-out folders of the same kind. Empty: no validation."""
    noise: tuple[str, ...] = field(default=(), metadata=path())
    """Folders of noise, made by `vall-e data process --voices-only`: for the tasks ns, sr, nse."""
    shares: tuple[float, ...] = field(default=(), validator=_one_for_each_of_train)
    """How often each folder of `train` is drawn from; empty: by their number of utterances."""
    seconds: tuple[float, float] = field(default=(0.5, 16.0), validator=in_order)
    """Utterances outside of this range are left out, and counted."""
    prompt_seconds: tuple[float, float] = field(default=(1.0, 3.0), validator=in_order)
    """How much of the speaker's other recordings a sample hears; drawn for each sample."""
    without_prompt: float = field(default=0.05, validator=probability)
    """Share of the samples that get no prompt (a speaker with one recording never gets one)."""
    without_text: float = field(default=0.0, validator=probability)
    """Share of the samples whose text is left out. `sampling.guidance` needs some, 0.1 say: it
    compares what the model expects with the text and without."""
    without_both: float = field(default=0.0, validator=[*probability, _beside_without_text])
    """Share of the samples, on top of `without_text`, that lose their text and their prompt. Wanted
    by `sampling.guidance_without: [text, prompt]`."""
    batch_seconds: float = field(default=60.0, validator=positive)
    """A batch holds so much audio, prompts included, padding included."""
    batch_size: int = field(default=0, validator=not_negative)
    """A batch holds at most so many samples, however short they are. 0: as many as fit in."""
    bad_items: Literal["error", "skip"] = "error"
    """Utterances whose codes are damaged, or not of the dataset's codec: end the run with the name
    of the first, or leave each out of its batch, warn of it and count."""
    workers: int = field(default=0, validator=not_negative)
    """Loader processes; 0 reads in the training process."""
