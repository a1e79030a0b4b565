"""Dynamic temperature: less randomness if the model is confident."""

from jaxtyping import Float, Int
from torch import Tensor

from vall_e_samplers.options import DynamicTemperatureConfig


class DynamicTemperature:
    """Divides each row's logits by its own temperature between `least` and `most`."""

    def __init__(self, config: DynamicTemperatureConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        config = self.config
        surest = logits.float().softmax(-1).amax(-1, keepdim=True)
        sure = ((surest - config.middle) * config.slope).sigmoid()
        temperature = config.most - (config.most - config.least) * sure
        # Half precision ends at 65504, which a temperature below 1 soon exceeds.
        return logits.float() / temperature
