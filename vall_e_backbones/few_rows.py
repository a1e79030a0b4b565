"""x W^T of a few rows, which a processor can do faster by a packed weight."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear, pad

UNPACKED = 3
"""So many rows take no longer by the weight as it lies: its reading is the work."""
MOST = 32
"""Of more rows a packed weight saves nothing."""
MULTIPLE = 4
"""MKL is fast for packed weights of such numbers of rows."""


class FewRows:
    """x W^T in fp32 on a processor, by one weight that does not change.

    From four rows on by a copy of the weight, as large as it is, that MKL packed: that takes half
    the time. It is made when first needed, for a number of rows; fewer are filled up to that.
    """

    def __init__(self, weight: Float[Tensor, "o i"]) -> None:
        self._weight = weight
        self._packed = weight
        self._rows = 0

    @staticmethod
    def can(weight: Tensor) -> bool:
        """Whether there is something to gain: PyTorch was built with MKL, the weight suits."""
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
