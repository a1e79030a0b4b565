"""x W^T for a few rows, which is faster on a CPU with a packed weight."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear, pad

UNPACKED = 3
"""Up to this many rows, the plain weight is as fast: reading it takes all the time."""
MOST = 32
"""For more rows, a packed weight saves nothing."""
MULTIPLE = 4
"""MKL is fast with packed weights for these numbers of rows."""


class FewRows:
    """x W^T in fp32 on a CPU, with one weight that does not change.

    From four rows on it uses a copy of the weight, of the same size, packed by MKL: it takes half
    the time. It is made when first needed, for a number of rows; fewer rows are padded.
    """

    def __init__(self, weight: Float[Tensor, "o i"]) -> None:
        self._weight = weight
        self._packed = weight
        self._rows = 0

    @staticmethod
    def can(weight: Tensor) -> bool:
        """Whether there is an advantage: PyTorch was built with MKL, and the weight is suitable."""
        known = hasattr(torch.ops.mkl, "_mkl_linear") and torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
        return known and weight.dtype == torch.float32 and weight.device.type == "cpu"

    def __call__(self, x: Float[Tensor, "b i"]) -> Float[Tensor, "b o"]:
        rows = len(x)
        if not UNPACKED < rows <= MOST:
            return linear(x, self._weight)
        if rows > self._rows:
            self._rows = -(-rows // MULTIPLE) * MULTIPLE
            self._packed = torch.ops.mkl._mkl_reorder_linear_weight(self._weight, self._rows)
        filled = pad(x, (0, 0, 0, self._rows - rows))
        out: Tensor = torch.ops.mkl._mkl_linear(
            filled, self._packed, self._weight, None, self._rows
        )
        return out[:rows]
