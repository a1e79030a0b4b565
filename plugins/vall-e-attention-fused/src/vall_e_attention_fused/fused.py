"""The fused kernel: its limits, its tiles, and its place in autograd."""

from typing import Any

import torch
from attrs import frozen
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from vall_e_backbones.limited_kernel import AttentionOptions, LimitedKernel
from vall_e_backbones.limits import Limits, Package

MAX_HEAD_DIM = 256
"""A tile of larger heads does not fit into the shared memory of smaller GPUs."""


class Fused(LimitedKernel):
    """Attention without scores in memory, in fp32, fp16 or bf16; sums are in fp32."""

    name = "fused"

    def __init__(self, triton: Package | None = None) -> None:
        triton = Package.load("triton", "triton") if triton is None else triton
        self.limits = Limits(
            absent=triton.absent,
            devices=("cuda",) if triton.absent or _compiles(triton.found) else ("cuda", "cpu"),
            max_head_dim=MAX_HEAD_DIM,
            capabilities=(8, 99),
        )

    def attend(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        options: AttentionOptions,
    ) -> Float[Tensor, "b h t c"]:
        plan = KernelPlan.of(q, options.mask, causal=options.causal, scale=options.scale)
        out: Tensor = _Attend.apply(q, k, v, plan)  # type: ignore[no-untyped-call]
        return out


def _compiles(triton: Any) -> bool:
    """Whether Triton compiles for a GPU, and does not interpret programs, as it can for tests."""
    from vall_e_attention_fused import triton_kernels

    return isinstance(triton_kernels.attend, triton.JITFunction)


@frozen(eq=False)
class KernelPlan:
    """What the three programs of a call have in common."""

    mask: UInt8[Tensor, "b t u"] | None
    live: Int[Tensor, "b tiles_t tiles_u"] | None
    """For each tile of the mask: 0 if it hides everything, 2 if it hides nothing, otherwise 1."""
    causal: bool
    scale: float
    tile: int
    """Number of queries and keys in a tile."""
    width: int
    """Channels of a tile: a power of two, as Triton requires."""

    @classmethod
    def of(
        cls,
        q: Float[Tensor, "b h t c"],
        mask: Bool[Tensor, "b 1 t u"] | None,
        *,
        causal: bool,
        scale: float | None,
    ) -> "KernelPlan":
        size = q.shape[-1]
        width = max(16, 1 << (size - 1).bit_length())
        tile = 64 if width <= 64 else 32 if width <= 128 else 16
        live = None if mask is None else _live(mask[:, 0], tile)
        flat = None if mask is None else mask[:, 0].view(torch.uint8)
        return cls(flat, live, causal, size**-0.5 if scale is None else scale, tile, width)

    def arguments(self, q: Tensor, k: Tensor) -> dict[str, object]:
        """Arguments of every program besides its tensors and their strides."""
        return {
            "heads": q.shape[1],
            "t": q.shape[2],
            "u": k.shape[2],
            "c": q.shape[3],
            "scale": self.scale,
            "groups": q.shape[1] // k.shape[1],
            "causal": self.causal,
            "masked": self.mask is not None,
            "tile_t": self.tile,
            "tile_u": self.tile,
            "tile_c": self.width,
            "widen": q.device.type == "cpu",
            "num_warps": 4,
            "num_stages": 1,
        }

    def tables(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """Mask and table of tiles; without a mask, dummies that are never read."""
        if self.mask is None or self.live is None:
            nothing = q.new_zeros((1, 1, 1), dtype=torch.int32)
            return nothing, nothing
        return self.mask, self.live


def _live(mask: Bool[Tensor, "b t u"], tile: int) -> Int[Tensor, "b tiles_t tiles_u"]:
    queries = mask.shape[1]
    if mask.stride(1) == 0:  # padding: one query represents all
        mask = mask[:, :1]
    some, hides = _in_tiles(mask, tile), _in_tiles(~mask, tile)
    live = some.int() + (some & ~hides).int()
    return live.expand(-1, -(-queries // tile), -1)


def _in_tiles(x: Bool[Tensor, "b t u"], tile: int) -> Bool[Tensor, "b tiles_t tiles_u"]:
    """Whether anything in a tile is True."""
    x = pad(x, (0, -x.shape[2] % tile, 0, -x.shape[1] % tile))
    rows, queries, keys = x.shape
    return x.view(rows, queries // tile, tile, keys // tile, tile).any(4).any(2)


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, plan: KernelPlan) -> Tensor:
        from vall_e_attention_fused import triton_kernels

        q, k, v = (_side_by_side(x) for x in (q, k, v))
        rows, heads, length, _ = q.shape
        out = _like(q)
        lse = q.new_empty((rows, heads, length), dtype=torch.float32)
        mask, live = plan.tables(q)
        with torch.cuda.device_of(q):  # type: ignore[no-untyped-call]
            triton_kernels.attend[-(-length // plan.tile), rows * heads](
                *(q, k, v, mask, live, out, lse),
                *_strides(q, k, v, mask, live, out),
                **plan.arguments(q, k),
            )
        ctx.save_for_backward(q, k, v, out, lse)
        ctx.plan = plan
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        from vall_e_attention_fused import triton_kernels

        q, k, v, out, lse = ctx.saved_tensors
        plan: KernelPlan = ctx.plan
        grad = _side_by_side(grad)
        delta = (grad.float() * out.float()).sum(-1)  # (b, h, t)
        dq, dk, dv = _like(q), _like(k), _like(v)
        mask, live = plan.tables(q)
        given = (q, k, v, mask, live, grad)
        strides = _strides(*given)
        arguments = plan.arguments(q, k)
        with torch.cuda.device_of(q):  # type: ignore[no-untyped-call]
            triton_kernels.gradients_of_keys[-(-k.shape[2] // plan.tile), len(k) * k.shape[1]](
                *given, lse, delta, dk, dv, *strides, *_strides(dk), **arguments
            )
            triton_kernels.gradients_of_queries[-(-q.shape[2] // plan.tile), len(q) * q.shape[1]](
                *given, lse, delta, dq, *strides, *_strides(dq), **arguments
            )
        return dq, dk, dv, None


def _side_by_side(x: Tensor) -> Tensor:
    """With the channels of a head adjacent in memory; the other axes may have any strides."""
    return x if x.stride(-1) == 1 else x.contiguous()


def _like(x: Tensor) -> Float[Tensor, "b h t c"]:
    """New memory in the layout in which a backbone joins its heads: (b, t, h, c)."""
    rows, heads, length, size = x.shape
    return x.new_empty((rows, length, heads, size)).transpose(1, 2)


def _strides(*tensors: Tensor) -> list[int]:
    """Three strides each: of (b, h, t, c) without the last, of (b, t, u) all."""
    return [stride for x in tensors for stride in x.stride()[:3]]
