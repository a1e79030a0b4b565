"""What the core relies on in an attention kernel."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import Tensor

from vall_e.errors import UnavailableError
from vall_e.interfaces import AttentionKernel

Case = Literal["all", "causal", "padding", "block"]
CASES: tuple[Case, ...] = ("all", "causal", "padding", "block")
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 2e-2}


class AttentionContract:
    """`make` returns the kernel. What it says it cannot do, it must refuse with that reason."""

    device = torch.device("cpu")

    def make(self) -> AttentionKernel:
        raise NotImplementedError

    @pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
    @pytest.mark.parametrize("groups", [1, 2])
    @pytest.mark.parametrize("case", CASES)
    def test_equals_the_plain_formula(self, case: Case, groups: int, dtype: torch.dtype) -> None:
        kernel = self.make()
        q, k, v = _inputs(self.device, dtype, groups)
        mask = _mask(case, q.shape[2]).to(self.device) if case in {"padding", "block"} else None
        out, refused = _attempt(kernel, q, k, v, mask, causal=case == "causal")
        if refused:
            return
        wanted = _plain(q.double(), k.double(), v.double(), _mask(case, q.shape[2]).to(self.device))
        torch.testing.assert_close(
            out.double(), wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
        )

    @pytest.mark.parametrize("case", CASES)
    def test_gradients_equal_the_plain_formula(self, case: Case) -> None:
        kernel = self.make()
        inputs = [x.requires_grad_() for x in _inputs(self.device, torch.float32, 1)]
        mask = _mask(case, inputs[0].shape[2]).to(self.device)
        given = mask if case in {"padding", "block"} else None
        q, k, v = inputs
        out, refused = _attempt(kernel, q, k, v, given, causal=case == "causal")
        if refused:
            return
        ours = torch.autograd.grad(out.square().sum(), inputs)
        wanted = torch.autograd.grad(_plain(q, k, v, mask).square().sum(), inputs)
        for mine, theirs in zip(ours, wanted, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)

    def test_has_a_name(self) -> None:
        assert self.make().name


def _attempt(
    kernel: AttentionKernel, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, *, causal: bool
) -> tuple[Tensor, bool]:
    reason = kernel.unsupported(
        device=q.device,
        dtype=q.dtype,
        head_dim=q.shape[-1],
        masked=mask is not None,
        training=q.requires_grad,
    )
    if reason is None:
        return kernel(q, k, v, mask=mask, causal=causal), False
    with pytest.raises(UnavailableError) as caught:
        kernel(q, k, v, mask=mask, causal=causal)
    assert reason in caught.value.message
    return q, True


def _inputs(device: torch.device, dtype: torch.dtype, groups: int) -> list[Tensor]:
    """Four query heads over 4 / groups key heads of size 16, six positions, two rows."""
    generator = torch.Generator().manual_seed(0)
    heads = (4, 4 // groups, 4 // groups)
    return [
        torch.randn(2, h, 6, 16, generator=generator).to(device=device, dtype=dtype) for h in heads
    ]


def _mask(case: Case, size: int) -> Tensor:
    """(2, 1, t, t), True where attention is allowed."""
    allowed = torch.ones(2, 1, size, size, dtype=torch.bool)
    if case == "causal":
        allowed = allowed.tril()
    if case == "padding":
        allowed[1, :, :, 4:] = False
    if case == "block":
        allowed[:, :, :3, 3:] = False
    return allowed


def _plain(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    scores = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    out: Tensor = scores.masked_fill(~mask, -torch.inf).softmax(-1) @ v
    return out
