"""Top-n-sigma sampling (Tang et al. 2024, https://arxiv.org/abs/2411.07641)."""

from jaxtyping import Float, Int
from torch import Tensor

from vall_e_samplers.options import TopNSigmaConfig


class TopNSigma:
    """Keeps logits within `n` standard deviations of the largest: the rest counts as noise.

    The cut does not depend on a temperature before or after it.
    """

    def __init__(self, config: TopNSigmaConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        greatest = logits.amax(-1, keepdim=True)
        # Tokens dropped by another sampler do not count for the deviation. Measured from the
        # largest, so that distant logits keep their precision.
        possible = logits.isfinite()
        below = (logits - greatest).float().masked_fill(~possible, 0.0)
        count = possible.sum(-1, keepdim=True)
        mean = below.sum(-1, keepdim=True) / count
        squares = (below - mean).square().masked_fill(~possible, 0.0).sum(-1, keepdim=True)
        sigma = (squares / (count - 1).clamp_min(1)).sqrt()
        return logits.masked_fill(below < -self.config.n * sigma, float("-inf"))
