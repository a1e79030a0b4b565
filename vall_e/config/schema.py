"""Every option of a run. Each class is one mapping in the YAML file. Torch-free.

A `Choice` names a component; its other keys belong to that component's own config class. Each
subclass spells out what building takes.

The string under a field is its documentation: `vall-e config init` writes it into the file it
makes, `vall-e config schema` into the schema. Two marks may stand in a field's `metadata`:
`chosen(...)` names the component that is taken if the file names none, `path()` says that a
relative path is meant, which counts from the folder of the file.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from attrs import Factory, field, frozen, validators

from vall_e.config.depth import ExitConfig, LayerSkipConfig, SpeculativeConfig
from vall_e.config.requirements import requirements
from vall_e.registry import Component

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import torch

    from vall_e.embedding import Embedder
    from vall_e.interfaces import (
        AttentionKernel,
        Backbone,
        Codec,
        Engine,
        Phonemizer,
        Sampler,
        Task,
    )
    from vall_e.judging import Case, Judge
    from vall_e.storing import Store
    from vall_e.transcribing import Transcriber


def _finite(instance: object, attribute: Any, value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"must be a finite number: {value}")


positive: Any = validators.and_(validators.gt(0), _finite)
not_negative: Any = validators.and_(validators.ge(0), _finite)
probability: Any = [validators.ge(0), validators.le(1)]


def _in_order(instance: object, attribute: Any, value: tuple[float, float]) -> None:
    if not 0 <= value[0] <= value[1] < math.inf:
        raise ValueError(f"must be two numbers, the smaller first: {list(value)}")


def _one_for_each_of_train(instance: DataConfig, attribute: Any, value: tuple[float, ...]) -> None:
    if value and len(value) != len(instance.train):
        raise ValueError(f"must have one number for each folder of `train`: {list(value)}")
    if value and (min(value) < 0 or sum(value) <= 0):
        raise ValueError(f"must be positive numbers: {list(value)}")


def _within_one(instance: object, attribute: Any, value: tuple[float, float]) -> None:
    if not 0 <= value[0] <= value[1] <= 1:
        raise ValueError(f"must be two numbers of 0 to 1, the smaller first: {list(value)}")


def _beside_without_text(instance: DataConfig, attribute: Any, value: float) -> None:
    if value + instance.without_text > 1:
        raise ValueError(f"must be at most 1 with `without_text` added: {value}")


def _some_levels(instance: object, attribute: Any, value: LevelWeights) -> None:
    if isinstance(value, tuple) and (not value or min(value) < 0):
        raise ValueError(f"must list levels from 0 on: {list(value)}")


def _from_0_on(instance: object, attribute: Any, value: tuple[int, ...]) -> None:
    if value and min(value) < 0:
        raise ValueError(f"must list levels from 0 on: {list(value)}")


def _range_of_levels(instance: object, attribute: Any, value: tuple[int, ...]) -> None:
    if value and not (len(value) == 2 and 0 <= value[0] <= value[1]):
        raise ValueError(f"must be empty or two levels, the lower first: {list(value)}")


def _factors(instance: object, attribute: Any, value: Mapping[str, float]) -> None:
    foreign = sorted(set(value) - set(get_args(SegmentKind)))
    if foreign:
        raise ValueError(f"must name {', '.join(get_args(SegmentKind))}, not {', '.join(foreign)}")
    if value and (min(value.values()) < 0 or sum(value.values()) <= 0):
        raise ValueError(f"must be positive numbers: {dict(value)}")


def _fits_pattern(instance: ModelConfig, attribute: Any, value: str) -> None:
    if value != "none" and instance.capabilities != ("ar",):
        raise ValueError(f"must be none unless model.capabilities is [ar]: {value}")
    side_by_side = value in ("parallel", "delay", "coarse-first")
    if side_by_side and instance.heads == "single":
        raise ValueError(f"must not write levels side by side where model.heads is single: {value}")


def _fits_groups(instance: ModelConfig, attribute: Any, value: int) -> None:
    if value > 1 and "ar" not in instance.capabilities:
        raise ValueError(f"must be 1 unless model.capabilities has ar: {value}")
    if value > 1 and instance.pattern != "none":
        raise ValueError(f"must be 1 where model.pattern is {instance.pattern}: {value}")


def _of_groups(instance: ModelConfig, attribute: Any, value: float) -> None:
    if value > 0 and instance.group_size == 1:
        raise ValueError(f"must be 0 where model.group_size is 1: {value:g}")


def _distinct(instance: object, attribute: Any, value: tuple[object, ...]) -> None:
    if len(set(value)) != len(value):
        raise ValueError(f"must not name anything twice: {list(value)}")


def _distinct_tasks(instance: object, attribute: Any, value: tuple[Choice, ...]) -> None:
    _distinct(instance, attribute, tuple(task.component.name for task in value))


CHOSEN = "vall_e.chosen"
PATH = "vall_e.path"
OR_NAME = "or name"


def chosen(default: str | tuple[str, ...]) -> dict[str, object]:
    """Mark a field with the component, or the components, that are taken if none is named.

    By name, since at import there is no registry to make a default value of.
    """
    return {CHOSEN: default}


def path() -> dict[str, object]:
    """Mark a field of text as a path; one of type `pathlib.Path` needs no mark."""
    return {PATH: True}


def path_or_name() -> dict[str, object]:
    """Mark a field of text as a path, or the name of an installed model; empty: neither."""
    return {PATH: OR_NAME}


def is_name(text: str) -> bool:
    """Whether what may be a path or a name is a name."""
    return not ("/" in text or "\\" in text or text.endswith(".safetensors"))


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
    """The distribution that offers the component; empty where no registry was asked."""


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


SegmentKind = Literal["text", "read", "language", "level", "prompt", "input", "response", "length"]
LevelWeights = Literal["auto", "equal", "normal"] | tuple[int, ...]
CodePattern = Literal["none", "parallel", "delay", "interleaved", "flattened", "coarse-first"]


@frozen
class ModelConfig:
    """The language model. Sizes that codec, vocabulary and languages decide are not asked for."""

    backbone: BackboneChoice = field(metadata=chosen("llama"))
    """The body: what maps a sequence of vectors to a sequence of vectors."""
    attention: AttentionChoice = field(metadata=chosen("auto"))
    """`auto` takes the fastest kernel that can run here, and says which."""
    capabilities: tuple[Literal["ar", "nar", "len"], ...] = field(
        default=("ar", "nar"), validator=[validators.min_len(1), _distinct]
    )
    """What the weights can do: `ar` level 0 frame by frame, `nar` the other levels, `len` all of
    level 0 at once, by filling in masked frames, after saying its length (the task `len`)."""
    pattern: Literal["none", "parallel", "delay", "interleaved", "flattened", "coarse-first"] = (
        field(default="none", validator=_fits_pattern)
    )
    """How the AR stage writes all levels by itself (capabilities: [ar]): `parallel` all of a frame
    at once, `delay` each a step after the one before, `interleaved` (also called `flattened`) code
    by code, `coarse-first` level 0 to its end and then the others. `none`: level 0 alone."""
    group_size: int = field(default=1, validator=[positive, _fits_groups])
    """Frames that the AR stage writes at each step: more are faster."""
    partial_groups: float = field(default=0.0, validator=[*probability, _of_groups])
    """Share of the groups that are cut short in training. `sampling.confidence` needs some, 0.2
    say: it cuts groups when speaking."""
    embedding_sums: bool = True
    """Embed a frame as the sum over its known levels (else: its newest level alone)."""
    legacy_sums: bool = False
    """Leave the newest of several known levels out of the sum, of prompt and response, as models of
    e-c-k-e-r/vall-e until March 2025 were trained. For their weights only."""
    code_vectors: Literal["learnt", "codec", "both"] = "learnt"
    """What embeds a code: a learnt table; the codec's own vector of it, which stays as it is, and a
    learnt projection of that; or the sum of both. The codec must have such vectors."""
    prompt_levels: Literal["all", "known"] = "all"
    """Levels of the prompt that are embedded: all, or those that the response has too."""
    positions: Literal["segment", "unified"] = "segment"
    """`segment`: positions restart in every segment, which helps text and speech to align."""
    text_stride: int = field(default=1, validator=positive)
    """Positions from one text token to the next, where positions restart. Near the number of
    frames that a phoneme lasts, text and speech run side by side and align sooner."""
    heads: Literal["split", "single"] = "split"
    """One output layer a level, or one for all."""
    head_bias: bool = True
    """Output layers have a bias."""
    nar_attention: Literal["full", "causal"] = "full"
    """What a frame of a later level sees: all frames, or only those before it and itself, as models
    of e-c-k-e-r/vall-e until November 2024 were trained."""
    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Of the embedded sequence, while training."""
    token_dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Share of the response's frames that a learnt vector stands in for, while training."""
    token_dropout_levels: tuple[int, ...] = field(default=(), validator=_from_0_on)
    """The levels at whose prediction that is done. Empty: all."""


@frozen
class TextConfig:
    """From text to ids."""

    phonemizer: PhonemizerChoice = field(metadata=chosen("espeak"))
    """What turns text into phonemes."""
    normalize: bool = True
    """Write out numbers, dates and abbreviations before phonemizing."""
    languages: tuple[str, ...] = field(
        default=("en-us",), validator=[validators.min_len(1), _distinct]
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
    seconds: tuple[float, float] = field(default=(0.5, 16.0), validator=_in_order)
    """Utterances outside of this range are left out, and counted."""
    prompt_seconds: tuple[float, float] = field(default=(1.0, 3.0), validator=_in_order)
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


@frozen
class TrainingConfig:
    """How `vall-e train` runs."""

    optimizer: OptimizerChoice = field(metadata=chosen("adamw"))
    """What turns gradients into steps."""
    schedule: ScheduleChoice = field(metadata=chosen("cosine"))
    """How the optimizer's learning rate changes from step to step."""
    engine: EngineChoice = field(metadata=chosen("local"))
    """Where the steps run."""
    output: str = field(default="runs/valle", metadata=path())
    """Folder of checkpoints and metrics; a relative path counts from the YAML file."""
    start_from: str = field(default="", metadata=path_or_name())
    """Weights that a new run starts with: the name of an installed model (`embedded`), or the path
    of a weights file or training folder, with a `/` or `.safetensors` in it. Empty: none."""
    levels: LevelWeights = field(default="auto", validator=_some_levels)
    """Which level a sample trains. `auto`: level i in proportion to levels - i; `equal`; `normal`:
    the middle levels most; or a list to draw from, like [0, 0, 0, 1, 2, 3]."""
    level_range: tuple[int, ...] = field(default=(), validator=_range_of_levels)
    """The lowest and the highest level that are trained: [0, 3], say. Empty: all."""
    masked: float = field(default=0.5, validator=probability)
    """Share of the samples of level 0 that train to fill in masked frames (capability `len`); all
    of them without the capability `ar`."""
    mask_schedule: Literal["cosine", "linear"] = "cosine"
    """The share of frames that is masked at time t: cos(t * pi / 2), or 1 - t."""
    mask_times: tuple[float, float] = field(default=(0.0, 1.0), validator=_within_one)
    """The time of a masked sample is drawn from this range."""
    max_steps: int = field(default=10_000, validator=positive)
    """Optimizer steps until training ends."""
    accumulation: int = field(default=1, validator=positive)
    """Batches to an optimizer step."""
    clip_norm: float = field(default=1.0, validator=positive)
    """Largest gradient norm, after unscaling."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Of the forward pass; weights and optimizer state stay in fp32."""
    device: str = "auto"
    """`auto` takes cuda if there is one, else mps, else cpu."""
    threads: int = field(default=0, validator=not_negative)
    """CPU threads; 0 leaves it to torch."""
    seed: int = field(default=0, validator=[not_negative, validators.lt(2**32)])
    """Of initial weights, order of the data, cuts and dropout: same seed, same run."""
    save_every: int = field(default=1000, validator=positive)
    """Steps between checkpoints."""
    keep: int = field(default=3, validator=positive)
    """Checkpoints that are kept, besides those made by hand."""
    evaluate_every: int = field(default=500, validator=positive)
    """Steps between validation passes."""
    evaluate_seconds: float = field(default=120.0, validator=positive)
    """So much held-out audio is validated on, of all folders together."""
    ignore_inputs: bool = True
    """Only the predicted segment counts in the loss; else text and prompt of a sample too."""
    loss_factors: dict[str, float] = field(factory=dict, validator=_factors)
    """Instead of one mean over all predicted tokens a mean for each kind of segment, so many times:
    {text: 0.1, prompt: 0.5, response: 1.0}, say. What is not named does not count, whatever
    `ignore_inputs` says."""
    code_errors: float = field(default=0.0, validator=probability)
    """Chance of a code of a lower level to be read as one more or one less."""
    frozen: tuple[str, ...] = ()
    """Names of weights that stay as they are, say "embedding.*"; `*` stands for any part."""
    wrappers: tuple[WrapperChoice, ...] = ()
    """Applied to the model in this order."""
    layer_skip: LayerSkipConfig = field(factory=LayerSkipConfig)
    """Training so that fewer layers than all can speak, too: for `sampling.exit` and
    `sampling.speculative`."""


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
        default=("text",), validator=[validators.min_len(1), _distinct]
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
        default=("text",), validator=[validators.min_len(1), _distinct]
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
    context: Literal["none", "prompt", "prefix"] = "none"
    """What a sentence of a longer text goes on from: the voice alone; the sentence before too,
    added to the prompt; or its text and codes, before those of the sentence itself."""
    silence_seconds: float = field(default=0.0, validator=not_negative)
    """A sentence is written as what follows so much silence, which is not heard itself."""
    pause_seconds: float = field(default=0.2, validator=not_negative)
    """Silence between the sentences of a longer text."""
    levels: int = field(default=0, validator=not_negative)
    """RVQ levels that are written: fewer are faster and coarser. 0: all that the model has."""
    chunk_seconds: float = field(default=0.5, validator=positive)
    """Audio in each chunk of `--stream`."""
    window_seconds: float = field(default=0.0, validator=not_negative)
    """The NAR stage writes so much of a sentence at a time, so that a stream sounds before the
    sentence is finished. 0: the whole sentence, with all of it in view."""
    ahead_seconds: float = field(default=0.2, validator=not_negative)
    """What a window sees of the frames after it. The first sound comes later by this."""
    seconds_per_symbol: tuple[float, float] = field(default=(0.015, 0.25), validator=_in_order)
    """A sentence that lasts less or more than this for each phoneme symbol is taken for a failure:
    it is ended (after the upper bound and one second), tried again, and warned of."""
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
    device: str = "auto"
    """`auto` takes cuda if there is one, else mps, else cpu."""
    threads: int = field(default=0, validator=not_negative)
    """CPU threads; 0 leaves it to torch."""


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
