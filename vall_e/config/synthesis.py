"""Options for sampling and for `vall-e synth`. Torch-free."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators

from vall_e.config.choices import AudioEffectChoice, SamplerChoice, StrategyChoice, WrapperChoice
from vall_e.config.field_metadata import chosen, path_or_name
from vall_e.config.layer_skip import ExitConfig, SpeculativeConfig
from vall_e.config.validators import (
    MAX_THREADS,
    ascending,
    distinct,
    in_order,
    not_negative,
    positive,
    probability,
)


@frozen
class DemaskConfig:
    """Masked decoding: how level 0 is filled in."""

    steps: int = field(default=25, validator=positive)
    """Passes over the utterance; each keeps the codes with the highest confidence."""
    schedule: Literal["cosine", "linear"] = "cosine"
    """The share of frames masked at time t, from 0 to 1: cos(t * pi / 2), or 1 - t."""
    choice: Literal["confidence", "random"] = "confidence"
    """Which frames are masked again: those with the lowest confidence, or random ones."""
    temperature: float = field(default=0.0, validator=not_negative)
    """Sampling temperature at time 0; it falls to 0 at time 1. 0: always the most likely code."""
    revise: bool = False
    """Score kept codes again in each pass, so that they may still be masked."""
    start: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """With a draft: the time to start at. Near 0 little of the draft is kept, near 1 most of it."""
    stretch: float = field(default=1.0, validator=positive)
    """Factor applied to the predicted length: over 1 is slower speech."""


@frozen
class SamplingConfig:
    """How tokens are sampled: chains of samplers, of which the last may draw."""

    ar: tuple[SamplerChoice, ...] = field(
        metadata=chosen(("repetition-aware",)), validator=validators.min_len(1)
    )
    """Samplers for level 0, frame by frame."""
    nar: tuple[SamplerChoice, ...] = field(
        metadata=chosen(("greedy",)), validator=validators.min_len(1)
    )
    """Samplers for the other levels, all frames of a level at once."""
    level_0: StrategyChoice = field(metadata=chosen("auto"))
    """How level 0 is generated: frame by frame (`ar`), or its length first and then all frames in a
    few passes (`demask`, needs the capability `len`). `auto`: `ar` if the model supports it."""
    demask: DemaskConfig = field(factory=DemaskConfig)
    """Options of masked decoding (`demask`)."""
    candidates: int = field(default=1, validator=positive)
    """Candidates for level 0 of each sentence, decoded in parallel; the best by `score` is used."""
    score: Literal["likelihood", "text"] = "likelihood"
    """Score of candidates, averaged over tokens: log p, or the part of it that depends on the text
    (log p with the text minus log p without it; needs a model trained with `data.without_text`)."""
    confidence: float = field(default=0.0, validator=probability)
    """For models with `model.group_size` over 1: frames of a group after the first are kept if
    their probability is at least this; the others are generated again in the next step. 0: keep
    all."""
    beams: int = field(default=1, validator=positive)
    """Beam search of this width for level 0 if over 1, instead of sampling."""
    length_power: float = field(default=1.0, validator=not_negative)
    """Beam search maximizes log p / tokens ** this. Lower values prefer short utterances."""
    guidance: float = field(default=1.0, validator=positive)
    """Classifier-free guidance of level 0: over 1 follows the text more closely, at twice the work
    for each frame. Needs a model trained with `data.without_text`; 1: no guidance."""
    guidance_without: tuple[Literal["text", "prompt"], ...] = field(
        default=("text",), validator=[validators.min_len(1), distinct]
    )
    """What is removed in the unguided pass: the `text`, the `prompt` (guidance then strengthens the
    voice), or both. Needs a model trained with `data.without_text`, `data.without_prompt` or
    `data.without_both`."""
    guidance_rescale: float = field(default=0.0, validator=probability)
    """How far the standard deviation of the guided logits is rescaled to that of the unguided ones:
    1 fully, 0 not at all. Moderates strong guidance."""
    nar_guidance: float = field(default=1.0, validator=positive)
    """Like `guidance`, for the other levels."""
    nar_guidance_without: tuple[Literal["text", "prompt"], ...] = field(
        default=("text",), validator=[validators.min_len(1), distinct]
    )
    """Like `guidance_without`, for the other levels."""
    nar_guidance_rescale: float = field(default=0.0, validator=probability)
    """Like `guidance_rescale`, for the other levels."""
    exit: ExitConfig = field(factory=ExitConfig)
    """Early exit: run fewer layers for easy frames of level 0."""
    speculative: SpeculativeConfig = field(factory=SpeculativeConfig)
    """Self-speculative decoding of level 0: fewer layers write drafts; the output is the same."""


@frozen
class SynthesisConfig:
    """Options of `vall-e synth`."""

    max_seconds: float = field(default=20.0, validator=positive)
    """Longest sentence. If the AR stage has not stopped by then, it is cut off with a warning."""
    prompt_seconds: float = field(default=3.0, validator=positive)
    """How much of a voice's recording is used, from its start."""
    prompt_decibels: tuple[float, float] = field(default=(-200.0, 0.0), validator=ascending)
    """Lowest and highest speech level (RMS in dB of full scale) of a voice's recording; softer or
    louder recordings are changed to the nearest one. Use the range of the training data."""
    context: Literal["none", "prompt", "prefix"] = "none"
    """What each sentence of a longer text is conditioned on: only the voice; also the previous
    sentence, as part of the prompt; or the previous sentence's text and codes, before its own."""
    silence_seconds: float = field(default=0.0, validator=not_negative)
    """Silence that each sentence is generated after; it is not part of the output."""
    pause_seconds: float = field(default=0.2, validator=not_negative)
    """Silence between sentences of a longer text."""
    levels: int = field(default=0, validator=not_negative)
    """RVQ levels to generate: fewer are faster and coarser. 0: all levels of the model."""
    nar: str = field(default="", metadata=path_or_name())
    """Weights for levels 1 and up: the name of an installed model, or the path of a weights file,
    with a `/` or `.safetensors` in it. Exported weights look for it in their own folder. `--nar`
    takes precedence. If empty in a file, the weights decide, and may use a second file; prevent
    that with `--set "synthesis.nar=''"`."""
    chunk_seconds: float = field(default=0.5, validator=positive)
    """Length of the audio chunks of `--stream`."""
    window_seconds: float = field(default=0.0, validator=not_negative)
    """The NAR stage works on blocks of this length, so that a stream starts before the sentence is
    finished. 0: on the whole sentence at once."""
    ahead_seconds: float = field(default=0.2, validator=not_negative)
    """Frames after a block that the NAR stage can see, as a time. Delays the first sound by as
    much."""
    seconds_per_symbol: tuple[float, float] = field(default=(0.015, 0.25), validator=in_order)
    """Plausible seconds for each phoneme symbol. A sentence outside this range counts as failed: it
    is stopped (after the upper bound plus one second), retried, and reported in a warning."""
    hold_end: bool = False
    """Do not let a sentence end before that lower bound, instead of failing."""
    attempts: int = field(default=1, validator=positive)
    """The most attempts for a sentence. The same seed makes the same attempts."""
    sentence_words: int = field(default=40, validator=positive)
    """Split longer sentences: at a comma, otherwise before a word such as "because"."""
    first_words: int = field(default=0, validator=not_negative)
    """Split the first sentence at its first comma after this many words, so that streaming starts
    sooner; the intonation falls there. It applies without --stream too. 0: do not split."""
    batch_size: int = field(default=16, validator=positive)
    """Sentences that `--batch` decodes together."""
    weights: Literal["fp32", "bf16", "int8"] = "fp32"
    """Number format of the weights in synthesis: fp32, exact; bf16, half the size; int8 for the
    backbone's matrices, which is faster for large models on x86 processors and slower for small
    ones."""
    wrappers: tuple[WrapperChoice, ...] = ()
    """Wrappers applied to the model in synthesis, in this order, after `weights`, such as int4."""
    effects: tuple[AudioEffectChoice, ...] = ()
    """Effects on the finished audio, one after the other, such as `limiter` or a watermark; with or
    without `--stream` the result is the same."""
    look_every: int = field(default=0, validator=[validators.ge(0), validators.le(256)])
    """Frames of level 0 between two checks for the end of the sentence; the output is the same. On
    a GPU, each check waits for it. 0: 8 on CUDA, else 1."""
    graphs: Literal["off", "auto", "on"] = "off"
    """Record the steps of level 0 as CUDA graphs and replay them: `auto` if device and model
    support it; `on` fails if they do not. A kernel that cannot be recorded is an error with
    both."""
    device: str = "auto"
    """`auto` selects cuda if available, else mps, else cpu."""
    threads: int = field(default=0, validator=[validators.ge(0), validators.le(MAX_THREADS)])
    """CPU threads; 0: PyTorch's default."""
