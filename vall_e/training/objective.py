"""The training objective."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vall_e.config.training import TrainingConfig
from vall_e.model.layer_skip import LayerSkip
from vall_e.model.loss import Losses
from vall_e.model.sequence import Example
from vall_e.model.token_dropout import with_errors
from vall_e.model.valle import Valle


class Objective(nn.Module):
    """The model together with its loss, so that engines have one `forward` to wrap.

    In eval mode it is the loss of validation: of the predicted segments, as they are.
    """

    def __init__(
        self, model: Valle, config: TrainingConfig, *, layer_skip: LayerSkip | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.layer_skip = layer_skip

    def forward(self, examples: Sequence[Example], step: int = 0) -> dict[str, Float[Tensor, ""]]:
        """`loss`, which is minimized, and further metrics by name.

        `nll.STAGE` and `accuracy.STAGE` are means over `tokens.STAGE` tokens. `step` is the step of
        the run, for objectives that change over time.
        """
        losses = self._training_loss(examples, step) if self.training else self._loss(examples)
        return {
            "loss": losses.total,
            **{f"nll.{stage}": value for stage, value in losses.nll.items()},
            **{f"accuracy.{stage}": value for stage, value in losses.accuracy.items()},
            **{f"tokens.{stage}": torch.tensor(float(n)) for stage, n in losses.counts.items()},
            "auxiliary": losses.auxiliary,
        }

    def _training_loss(self, examples: Sequence[Example], step: int) -> Losses:
        size = self.model.sizes.codebook_size
        return self.model.loss(
            [with_errors(example, self.config.code_errors, size) for example in examples],
            ignore_inputs=self.config.ignore_inputs,
            factors=self.config.loss_factors,
            skipping=self.layer_skip.at(step) if self.layer_skip else None,
        )

    def _loss(self, examples: Sequence[Example]) -> Losses:
        return self.model.loss(examples, ignore_inputs=True)


def lengths_of(model: Valle, examples: Sequence[Example]) -> list[int]:
    """Positions of each sequence as the model reads it, with separators but without padding."""
    return [len(model.laid_out(example)) for example in examples]
