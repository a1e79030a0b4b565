"""Options of drawing tokens and of `vall-e synth`. Torch-free."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators

from vall_e.config.choices import SamplerChoice, WrapperChoice
from vall_e.config.field_metadata import chosen, path_or_name
from vall_e.config.layer_skip import ExitConfig, SpeculativeConfig
from vall_e.config.validators import (
    ascending,
    distinct,
    in_order,
    not_negative,
    positive,
    probability,
)


@frozen
class DemaskConfig:
    """How level 0 is filled in."""

    steps: int = field(default=25, validator=positive)
    """Passes: each keeps the codes that the model is surest of."""
    schedule: Literal["cosine", "linear"] = "cosine"
    """The share of frames that is masked at time t, from 0 to 1: cos(t * pi / 2), or 1 - t."""
    choice: Literal["confidence", "random"] = "confidence"
    """Which frames are masked again: those that the model is least sure of, or any."""
    temperature: float = field(default=0.0, validator=not_negative)
    """Of the draw at time 0; it falls to 0 at time 1. 0: the likeliest code each time."""
    revise: bool = False
    """Codes that were kept are judged anew by each pass, and may be masked after all."""
    start: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """With a draft: the time at which it is taken up. Near 0 little of it stays, near 1 most."""
    stretch: float = field(default=1.0, validator=positive)
    """Times the length that the model says: over 1 is slower."""


@frozen
class SamplingConfig:
    """How tokens are drawn: chains of samplers, the last of which may draw."""

    ar: tuple[SamplerChoice, ...] = field(
        metadata=chosen(("repetition-aware",)), validator=validators.min_len(1)
    )
    """For level 0, frame by frame."""
    nar: tuple[SamplerChoice, ...] = field(
        metadata=chosen(("greedy",)), validator=validators.min_len(1)
    )
    """For the other levels, all frames of a level at once."""
    level_0: Literal["auto", "ar", "demask"] = "auto"
    """How level 0 is written: frame by frame (`ar`), or its length first and then all frames at
    once in a few passes (`demask`, capability `len`). `auto`: `ar` if the model can."""
    demask: DemaskConfig = field(factory=DemaskConfig)
    """How level 0 is filled in."""
    candidates: int = field(default=1, validator=positive)
    """Drafts of level 0 of each sentence, side by side; the best by `score` is spoken."""
    score: Literal["likelihood", "text"] = "likelihood"
    """Of candidates, a token on average: log p, or how much of it is owed to the text (log p with
    the text minus log p without it, for models that were trained with `data.without_text`)."""
    confidence: float = field(default=0.0, validator=probability)
    """For models of `model.group_size` over 1: of a group, frames after the first are kept while
    the model finds each at least this probable; the next step writes the others anew. 0: all."""
    beams: int = field(default=1, validator=positive)
    """Over 1: level 0 is not drawn but searched for, with so many utterances in view at a time."""
    length_power: float = field(default=1.0, validator=not_negative)
    """Of beams: the best has the greatest log p / tokens ** this. Less prefers short ones."""
    guidance: float = field(default=1.0, validator=positive)
    """Classifier-free guidance of level 0: over 1 the text counts more, at twice the work of a
    frame. For models that were trained with `data.without_text`; 1: none."""
    guidance_without: tuple[Literal["text", "prompt"], ...] = field(
        default=("text",), validator=[validators.min_len(1), distinct]
    )
    """What guidance compares with: the model without the `text`, without the `prompt` (the voice
    then counts more), or without both, for models that were trained with `data.without_text`,
    `data.without_prompt` or `data.without_both`."""
    guidance_rescale: float = field(default=0.0, validator=probability)
    """How far the spread of the guided logits is brought back to what it is without guidance: 1
    wholly, 0 not at all. Tempers a strong guidance."""
    nar_guidance: float = field(default=1.0, validator=positive)
    """As `guidance`, for the other levels."""
    nar_guidance_without: tuple[Literal["text", "prompt"], ...] = field(
        default=("text",), validator=[validators.min_len(1), distinct]
    )
    """As `guidance_without`, for the other levels."""
    nar_guidance_rescale: float = field(default=0.0, validator=probability)
    """As `guidance_rescale`, for the other levels."""
    exit: ExitConfig = field(factory=ExitConfig)
    """Fewer layers for frames of level 0 that are plain."""
    speculative: SpeculativeConfig = field(factory=SpeculativeConfig)
    """Drafts of level 0 by fewer layers; what is written is the same."""


@frozen
class SynthesisConfig:
    """How `vall-e synth` speaks."""

    max_seconds: float = field(default=20.0, validator=positive)
    """A sentence is ended here, with a warning, if the AR stage has not ended it by itself."""
    prompt_seconds: float = field(default=3.0, validator=positive)
    """So much of a voice's recording is used, from its start."""
    prompt_decibels: tuple[float, float] = field(default=(-200.0, 0.0), validator=ascending)
    """A voice's recording whose speech is softer or louder than these levels (RMS in dB of full
    scale) is brought to the nearer one: those that the model learned from."""
    context: Literal["none", "prompt", "prefix"] = "none"
    """What a sentence of a longer text goes on from: the voice alone; the sentence before too,
    added to the prompt; or its text and codes, before those of the sentence itself."""
    silence_seconds: float = field(default=0.0, validator=not_negative)
    """A sentence is written as what follows so much silence, which is not heard itself."""
    pause_seconds: float = field(default=0.2, validator=not_negative)
    """Silence between the sentences of a longer text."""
    levels: int = field(default=0, validator=not_negative)
    """RVQ levels that are written: fewer are faster and coarser. 0: all that the model has."""
    nar: str = field(default="", metadata=path_or_name())
    """Weights that write the levels after the first: the name of an installed model, or the path of
    a weights file, with a `/` or `.safetensors` in it. Exported weights look for it in their own
    folder. `--nar` counts more. Empty in a file: as the weights say, which may bring a second file
    along; `--set "synthesis.nar=''"` leaves that out."""
    chunk_seconds: float = field(default=0.5, validator=positive)
    """Audio in each chunk of `--stream`."""
    window_seconds: float = field(default=0.0, validator=not_negative)
    """The NAR stage writes so much of a sentence at a time, so that a stream sounds before the
    sentence is finished. 0: the whole sentence, with all of it in view."""
    ahead_seconds: float = field(default=0.2, validator=not_negative)
    """What a window sees of the frames after it. The first sound comes later by this."""
    seconds_per_symbol: tuple[float, float] = field(default=(0.015, 0.25), validator=in_order)
    """A sentence that lasts less or more than this for each phoneme symbol is taken for a failure:
    it is ended (after the upper bound and one second), tried again, and warned of."""
    hold_end: bool = False
    """A sentence cannot end before that lower bound, rather than fail by it."""
    attempts: int = field(default=1, validator=positive)
    """How often a sentence is tried at most. The same seed makes the same attempts."""
    sentence_words: int = field(default=40, validator=positive)
    """Longer sentences are cut: at a comma, else before a word such as "because"."""
    first_words: int = field(default=0, validator=not_negative)
    """Cut the first sentence at its first comma after so many words: streaming starts sooner, and
    the voice falls there. Without --stream the cut is the same; 0: no cut."""
    batch_size: int = field(default=16, validator=positive)
    """Sentences that are decoded at once by `--batch`."""
    weights: Literal["fp32", "bf16", "int8"] = "fp32"
    """What the model speaks with: fp32, exactly; bf16, half as large; int8 for the matrices of the
    backbone, which makes a large model faster on x86 processors, and a small one slower."""
    wrappers: tuple[WrapperChoice, ...] = ()
    """Applied to the model that speaks, in this order, after `weights`: int4, compile, say."""
    look_every: int = field(default=0, validator=[validators.ge(0), validators.le(256)])
    """So many frames of level 0 are drawn before the program looks whether they end the sentence;
    what is written is the same. On a GPU each look waits. 0: 8 on CUDA, else 1."""
    graphs: Literal["off", "auto", "on"] = "off"
    """Steps of level 0 are recorded as CUDA graphs and replayed: where device and model are fit for
    it (`auto`), or else it is an error (`on`). A kernel that cannot be recorded is one in both."""
    device: str = "auto"
    """`auto` takes cuda if there is one, else mps, else cpu."""
    threads: int = field(default=0, validator=not_negative)
    """CPU threads; 0 leaves it to torch."""
