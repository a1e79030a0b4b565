"""What training minimises."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from vall_e.model.sequence import Example
from vall_e.model.valle import Valle


class Objective(nn.Module):
    """The model together with its loss, so that engines have one `forward` to wrap."""

    def __init__(self, model: Valle, *, ignore_inputs: bool) -> None:
        super().__init__()
        self.model = model
        self.ignore_inputs = ignore_inputs

    def forward(self, examples: Sequence[Example]) -> dict[str, Float[Tensor, ""]]:
        """`loss`, which is to be minimised, and what to look at beside it, by metric name."""
        losses = self.model.loss(examples, ignore_inputs=self.ignore_inputs)
        return {
            "loss": losses.total,
            **{f"nll.{stage}": value for stage, value in losses.nll.items()},
            **{f"accuracy.{stage}": value for stage, value in losses.accuracy.items()},
            "auxiliary": losses.auxiliary,
        }


def positions_of(examples: Sequence[Example]) -> int:
    """Positions of the sequences, separators included, padding not."""
    return sum(sum(map(len, e.segments)) + len(e.segments) - 1 for e in examples)
