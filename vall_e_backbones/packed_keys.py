"""Keys without padding, row after row, as flash attention expects them."""

import torch
from attrs import frozen
from jaxtyping import Bool, Float, Int
from torch import Tensor


@frozen(eq=False)
class PackedKeys:
    """Keys and values without masked positions, and queries in the same layout."""

    k: Float[Tensor, "n g c"]
    v: Float[Tensor, "n g c"]
    ends: Int[Tensor, " b1"]
    """The start of each row, then the end of all; int32."""
    longest: int

    @classmethod
    def of(
        cls,
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        mask: Bool[Tensor, "b 1 t u"],
    ) -> "PackedKeys":
        """Take the keys that the mask's first query sees: all see the same. Synchronizes."""
        seen = mask[:, 0, 0]  # (b, u)
        counts = seen.sum(1, dtype=torch.int32)
        ends = torch.nn.functional.pad(counts.cumsum(0, dtype=torch.int32), (1, 0))
        return cls(k.transpose(1, 2)[seen], v.transpose(1, 2)[seen], ends, int(counts.max()))


def packed_queries(
    q: Float[Tensor, "b h t c"],
) -> tuple[Float[Tensor, "n h c"], Int[Tensor, " b1"]]:
    """All queries, rows one after another, and the start of each row and end of the last."""
    rows, _, length, _ = q.shape
    ends = torch.arange(0, (rows + 1) * length, length, dtype=torch.int32, device=q.device)
    return q.transpose(1, 2).flatten(0, 1), ends


def unpacked(out: Float[Tensor, "n h c"], rows: int) -> Float[Tensor, "b h t c"]:
    """The output for packed queries, with its heads and rows."""
    return out.view(rows, -1, *out.shape[1:]).transpose(1, 2)
