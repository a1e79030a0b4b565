"""Options of `vall-e train`. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from attrs import field, frozen, validators

from vall_e.config.choices import EngineChoice, OptimizerChoice, ScheduleChoice, WrapperChoice
from vall_e.config.field_metadata import chosen, path, path_or_name
from vall_e.config.layer_skip import LayerSkipConfig
from vall_e.config.validators import not_negative, positive, probability, within_one

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
    mask_times: tuple[float, float] = field(default=(0.0, 1.0), validator=within_one)
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
