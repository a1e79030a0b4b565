"""The weights that a run starts from."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen
from torch import Tensor

from vall_e.config.schema import RunConfig
from vall_e.errors import CheckpointError, TrainingError
from vall_e.interfaces.store import Info
from vall_e.registry import Registry
from vall_e.training.adapter_weights import base_of
from vall_e.training.resume_checks import require_fit, require_same
from vall_e.weights.file import model_tensors
from vall_e.weights.locate import WEIGHTS, latest, named_weights
from vall_e.weights.metadata import reading_weights


@frozen
class InitialWeights:
    """A checkpoint of the run itself, or weights of another model, or none."""

    weights: Path | None
    checkpoint: Path | None = None
    """The checkpoint of the run itself, which then holds these weights."""

    @classmethod
    def of(
        cls, folder: Path, config: RunConfig, registry: Registry, *, resume: bool
    ) -> InitialWeights:
        """The latest checkpoint in the run's folder, or else what `training.start_from` names.

        Raises `TrainingError` if there is a checkpoint and `resume` is not set.
        """
        checkpoint = _checkpoint(folder, resume=resume)
        if checkpoint:
            return cls(checkpoint / WEIGHTS, checkpoint)
        name = config.training.start_from
        return cls(named_weights(name, registry) if name else None)

    def require_fit(self, config: RunConfig, info: Info) -> None:
        """Raise `CheckpointError` if the weights have another meaning under this config."""
        if self.weights is None:
            return
        check = require_same if self.checkpoint else require_fit
        with reading_weights(self.weights):
            check(self.weights, config, info)

    def tensors(self) -> dict[str, Tensor]:
        """All of the weights. Raises `CheckpointError` if those of another model contain a LoRA."""
        tensors = model_tensors(self.weights) if self.weights else {}
        if not self.checkpoint and base_of(tensors).keys() != tensors.keys():
            raise CheckpointError(
                f"{self.weights} contains a LoRA besides its base model",
                hint="merge the two first: "
                f"vall-e export {self.weights} --merge -o merged.safetensors",
            )
        return tensors


def _checkpoint(folder: Path, *, resume: bool) -> Path | None:
    checkpoint = latest(folder)
    if checkpoint and not resume:
        raise TrainingError(
            f"{folder} already contains a run, with {checkpoint.name}",
            hint="continue it with --resume, or use another folder with --set training.output=...",
        )
    return checkpoint
