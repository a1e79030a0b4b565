"""Draws a token for each row; a row draws the same in any batch. Imports torch when called."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from jaxtyping import Float, Int
    from torch import Tensor


def draw_categorical(
    logits: Float[Tensor, "b v"], generators: Sequence[torch.Generator]
) -> Int[Tensor, " b"]:
    """Draw a token for each row, in proportion to `softmax(logits)`, by the Gumbel-max trick.

    Row i only uses `generators[i]`; neighboring rows may share one. Noise is made on the
    generator's own device, so a CPU generator gives the same noise to a model on any device.
    A token of -inf is never drawn, unless the whole row is -inf.
    """
    import torch

    if len(generators) != len(logits):
        raise ValueError(f"{len(logits)} rows need as many generators, got {len(generators)}")
    size = logits.shape[-1]
    uniform = [
        torch.rand(len(list(rows)), size, generator=generator, device=generator.device)
        for generator, rows in groupby(generators)
    ]
    if not uniform:
        return torch.empty(0, dtype=torch.long, device=logits.device)
    smallest = torch.finfo(torch.float32).tiny  # rand can be 0, whose noise would be -inf
    noise = torch.cat([_sent(part, logits.device) for part in uniform]).clamp_min(smallest)
    # Ties are broken by torch, the same way each time; float32 whatever the model's precision,
    # as bfloat16 noise has only 256 steps between two powers of two.
    return (logits.float() - (-noise.log()).log()).argmax(-1)


def _sent(noise: Float[Tensor, "r v"], device: torch.device) -> Float[Tensor, "r v"]:
    """On the device. For a GPU from pinned memory, so that the copy does not wait for earlier work.

    PyTorch keeps such memory until it has been read.
    """
    if noise.device.type == "cpu" and device.type == "cuda":
        return noise.pin_memory().to(device, non_blocking=True)
    return noise.to(device)
