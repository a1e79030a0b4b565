"""Temperature: the amount of randomness."""

from jaxtyping import Float, Int
from torch import Tensor

from vall_e_samplers.options import TemperatureConfig


class Temperature:
    """Divides the logits by `t`."""

    def __init__(self, config: TemperatureConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        return logits / self.config.t
