"""Tensors of which each process of a training run has a part (FSDP2)."""

from __future__ import annotations

from torch import Tensor


def whole(tensor: Tensor) -> Tensor:
    """The tensor with all its parts; all processes must call this in the same order.

    Other tensors are returned as they are. Asked by method, since importing DTensor is slow.
    """
    collect = getattr(tensor, "full_tensor", None)
    return collect() if collect is not None else tensor


def divided(tensor: Tensor, *, like: Tensor) -> Tensor:
    """The part of this process of a tensor that every process has, divided as `like` is.

    As it is if `like` is not divided, or has another shape (an optimizer's count of steps).
    """
    if not hasattr(like, "full_tensor") or hasattr(tensor, "full_tensor"):
        return tensor
    if tensor.shape != like.shape:
        return tensor
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(like, DTensor)  # noqa: S101 - the class with that method
    return distribute_tensor(tensor, like.device_mesh, like.placements, src_data_rank=None)
