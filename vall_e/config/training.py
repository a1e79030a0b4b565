"""Options of `vall-e train`. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from attrs import field, frozen, validators

from vall_e.config.choices import (
    EngineChoice,
    OptimizerChoice,
    ScheduleChoice,
    TrackerChoice,
    WrapperChoice,
)
from vall_e.config.field_metadata import chosen, path, path_or_name
from vall_e.config.layer_skip import LayerSkipConfig
from vall_e.config.samples import SamplesConfig
from vall_e.config.validators import MAX_THREADS, not_negative, positive, probability, within_one

if TYPE_CHECKING:
    from collections.abc import Mapping


def _some_levels(instance: object, attribute: Any, value: LevelWeights) -> None:
    if isinstance(value, tuple) and (not value or min(value) < 0):
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


SegmentKind = Literal["text", "read", "language", "level", "prompt", "input", "response", "length"]
LevelWeights = Literal["auto", "equal", "normal"] | tuple[int, ...]


@frozen
class BestConfig:
    """Which weights are kept in the folder `best`, and when `early_stop` counts."""

    metric: str = ""
    """A metric of the validation, such as `validation.nar` or `samples.held-out.open_wer`. Empty:
    the validation loss of the model's first stage."""
    mode: Literal["min", "max"] = "min"
    """Whether the lowest or the highest value is the best."""


@frozen
class TrainingConfig:
    """How `vall-e train` runs."""

    optimizer: OptimizerChoice = field(metadata=chosen("adamw"))
    """Updates the weights from the gradients."""
    schedule: ScheduleChoice = field(metadata=chosen("cosine"))
    """How the learning rate changes from step to step."""
    engine: EngineChoice = field(metadata=chosen("local"))
    """Runs the training steps."""
    output: str = field(default="runs/valle", metadata=path())
    """Folder for checkpoints and metrics; a relative path starts at the YAML file."""
    start_from: str = field(default="", metadata=path_or_name())
    """Initial weights of a new run: the name of an installed model (`embedded`), or the path of a
    weights file or training folder, with a `/` or `.safetensors` in it. Empty: random."""
    levels: LevelWeights = field(default="auto", validator=_some_levels)
    """Which level a sample trains. `auto`: level i with a weight of (levels - i); `equal`;
    `normal`: mostly the middle levels; or a list to draw from, like [0, 0, 0, 1, 2, 3]."""
    level_range: tuple[int, ...] = field(default=(), validator=_range_of_levels)
    """The lowest and the highest level to train, as in [0, 3]. Empty: all."""
    masked: float = field(default=0.5, validator=probability)
    """Share of the samples of level 0 that train masked decoding (capability `len`); all of them if
    the model lacks the capability `ar`."""
    mask_schedule: Literal["cosine", "linear"] = "cosine"
    """The share of frames masked at time t: cos(t * pi / 2), or 1 - t."""
    mask_times: tuple[float, float] = field(default=(0.0, 1.0), validator=within_one)
    """Range from which the time of a masked sample is drawn."""
    max_steps: int = field(default=10_000, validator=positive)
    """Number of optimizer steps in the run."""
    accumulation: int = field(default=1, validator=positive)
    """Batches for each optimizer step (gradient accumulation)."""
    on_oom: Literal["split", "skip", "stop"] = "split"
    """What to do with a batch that does not fit into memory: train its halves (the same gradient),
    leave it out of the step, if it is not the step's only batch, or end the run. With several
    processes the run ends."""
    clip_norm: float = field(default=1.0, validator=positive)
    """Gradients are clipped to this norm, after unscaling."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Number format of the forward pass; weights and optimizer state stay in fp32."""
    device: str = "auto"
    """`auto` selects cuda if available, else mps, else cpu."""
    threads: int = field(default=0, validator=[validators.ge(0), validators.le(MAX_THREADS)])
    """CPU threads; 0: PyTorch's default."""
    seed: int = field(default=0, validator=[not_negative, validators.lt(2**32)])
    """For initial weights, data order, segments and dropout: the same seed gives the same run."""
    save_every: int = field(default=1000, validator=positive)
    """Steps between checkpoints."""
    keep: int = field(default=3, validator=positive)
    """Number of checkpoints to keep, not counting those saved on request."""
    evaluate_every: int = field(default=500, validator=positive)
    """Steps between validation passes."""
    early_stop: int = field(default=0, validator=not_negative)
    """Stop after so many validations in a row that are no better than the best; 0: never."""
    evaluate_seconds: float = field(default=120.0, validator=positive)
    """Length of the validation audio, over all folders."""
    samples: SamplesConfig = field(factory=SamplesConfig)
    """Speech with each validation."""
    trackers: tuple[TrackerChoice, ...] = ()
    """Where the run is reported, besides `metrics.jsonl` in its folder: `tensorboard`, `wandb` and
    so on."""
    best: BestConfig = field(factory=BestConfig)
    """What the best weights are."""
    ignore_inputs: bool = True
    """Only the predicted segment counts in the loss; otherwise the sample's text and prompt do
    too."""
    loss_factors: dict[str, float] = field(factory=dict, validator=_factors)
    """A loss weight for each kind of segment, as in {text: 0.1, prompt: 0.5, response: 1.0}. The
    loss is then the weighted sum of the segments' means, not one mean over all predicted tokens.
    Segments not listed do not count, whatever `ignore_inputs` is."""
    code_errors: float = field(default=0.0, validator=probability)
    """Probability that a code of a lower level is changed by one, up or down, in the input."""
    frozen: tuple[str, ...] = ()
    """Names of weights that are frozen, as in "embedding.*"; `*` matches any part."""
    wrappers: tuple[WrapperChoice, ...] = ()
    """Wrappers applied to the model, in this order."""
    layer_skip: LayerSkipConfig = field(factory=LayerSkipConfig)
    """Train the model so that it also works with fewer layers, for `sampling.exit` and
    `sampling.speculative`."""
