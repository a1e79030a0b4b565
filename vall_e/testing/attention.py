"""What the core relies on in an attention kernel."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from vall_e.errors import UnavailableError
from vall_e.interfaces import AttentionCase, AttentionKernel
from vall_e.testing.marks import pytest

Kind = Literal["all", "causal", "padding", "block", "step", "masked step"]
KINDS: tuple[Kind, ...] = ("all", "causal", "padding", "block", "step", "masked step")
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 2e-2}
HEADS, SIZE, LENGTH = 4, 16, 6


class AttentionContract:
    """`make` returns the kernel, which runs on `device`.

    A case that it says it cannot do is skipped with its reason, once it has refused the call.
    """

    device = torch.device("cpu")

    def make(self) -> AttentionKernel:
        raise NotImplementedError

    @pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
    @pytest.mark.parametrize("kv_heads", [1, 2, 4])
    @pytest.mark.parametrize("kind", KINDS)
    def test_equals_the_plain_formula(self, kind: Kind, kv_heads: int, dtype: torch.dtype) -> None:
        q, k, v = _inputs(kind, kv_heads, self.device, dtype)
        out = self._attend(q, k, v, kind=kind)
        assert out.dtype == dtype
        assert out.shape == q.shape
        wanted = _plain(q.double(), k.double(), v.double(), _allowed(kind).to(self.device))
        torch.testing.assert_close(
            out.double(), wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
        )

    @pytest.mark.parametrize("kv_heads", [2, 4])
    @pytest.mark.parametrize("kind", KINDS)
    def test_gradients_equal_the_plain_formula(self, kind: Kind, kv_heads: int) -> None:
        inputs = _inputs(kind, kv_heads, self.device, torch.float32)
        q, k, v = (x.requires_grad_() for x in inputs)
        out = self._attend(q, k, v, kind=kind)
        ours = torch.autograd.grad(out.square().sum(), [q, k, v])
        plain = _plain(q, k, v, _allowed(kind).to(self.device))
        wanted = torch.autograd.grad(plain.square().sum(), [q, k, v])
        for mine, theirs in zip(ours, wanted, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)

    def test_obeys_a_given_scale(self) -> None:
        q, k, v = _inputs("all", HEADS, self.device, torch.float32)
        out = self._attend(q, k, v, scale=0.7)
        wanted = _plain(q, k, v, _allowed("all").to(self.device), scale=0.7)
        torch.testing.assert_close(out, wanted, rtol=1e-4, atol=1e-5)

    def test_large_scores_do_not_overflow(self) -> None:
        q, k, v = _inputs("causal", HEADS, self.device, torch.float32)
        out = self._attend(q * 200, k, v, kind="causal")
        wanted = _plain(q.double() * 200, k.double(), v.double(), _allowed("causal").to(q.device))
        torch.testing.assert_close(out.double(), wanted, rtol=1e-3, atol=1e-3)

    def test_drops_single_weights_and_scales_up_the_rest(self) -> None:
        """Keys are all alike and values are unit vectors twice, so that the output is weights."""
        keys = SIZE // 2
        q = torch.zeros(8, HEADS, 32, SIZE, device=self.device)
        k = torch.zeros(8, HEADS, keys, SIZE, device=self.device)
        v = torch.eye(keys, device=self.device).repeat(1, 2).expand_as(k).contiguous()
        first, second = self._attend(q, k, v, dropout=0.25), self._attend(q, k, v, dropout=0.25)
        weights, again = first.chunk(2, dim=-1)
        torch.testing.assert_close(weights, again)  # dropped: weights, not values or outputs
        kept = weights[weights != 0]
        torch.testing.assert_close(kept, torch.full_like(kept, 1 / keys / 0.75))
        assert abs(kept.numel() / weights.numel() - 0.75) < 0.03
        assert not torch.equal(first, second)

    def test_without_dropout_there_is_no_chance(self) -> None:
        q, k, v = _inputs("all", HEADS, self.device, torch.float32)
        assert torch.equal(self._attend(q, k, v), self._attend(q, k, v))

    def test_leaves_its_inputs_alone(self) -> None:
        inputs = _inputs("padding", 2, self.device, torch.float32)
        copies = [x.clone() for x in inputs]
        q, k, v = inputs
        self._attend(q, k, v, kind="padding")
        for given, copy in zip(inputs, copies, strict=True):
            assert torch.equal(given, copy)

    def test_has_a_name(self) -> None:
        assert self.make().name

    def _attend(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        *,
        kind: Kind = "all",
        scale: float | None = None,
        dropout: float = 0.0,
    ) -> Tensor:
        """The kernel's answer. Skips the test if it can give none, and says so in both ways."""
        kernel, causal = self.make(), kind == "causal"
        mask = _allowed(kind).to(self.device) if kind in _MASKED else None
        case = AttentionCase.of(q, k, mask=mask, causal=causal, dropout=dropout)
        reason = kernel.unsupported(case)
        if reason is None:
            return kernel(q, k, v, mask=mask, causal=causal, scale=scale, dropout=dropout)
        assert reason, "unsupported must say why"
        with pytest.raises(UnavailableError) as caught:
            kernel(q, k, v, mask=mask, causal=causal, scale=scale, dropout=dropout)
        assert reason in caught.value.message
        pytest.skip(f"{kernel.name}: {reason}")


_MASKED = {"padding", "block", "masked step"}


def _inputs(kind: Kind, kv_heads: int, device: torch.device, dtype: torch.dtype) -> list[Tensor]:
    """Four query heads of size 16, two rows, six keys; laid out as a backbone splits its heads."""
    generator = torch.Generator().manual_seed(0)
    queries = 1 if kind in {"step", "masked step"} else LENGTH
    sizes = ((queries, HEADS), (LENGTH, kv_heads), (LENGTH, kv_heads))
    return [
        torch.randn(2, length, heads, SIZE, generator=generator)
        .to(device=device, dtype=dtype)
        .transpose(1, 2)
        for length, heads in sizes
    ]


def _allowed(kind: Kind) -> Tensor:
    """(2, 1, t, u), True where attention is allowed."""
    allowed = torch.ones(2, 1, LENGTH, LENGTH, dtype=torch.bool)
    if kind == "causal":
        allowed = allowed.tril()
    if kind in {"padding", "masked step"}:
        allowed[1, :, :, 4:] = False
    if kind == "block":
        allowed[:, :, :3, 3:] = False
    return allowed[:, :, -1:] if kind in {"step", "masked step"} else allowed


def _plain(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, *, scale: float = SIZE**-0.5) -> Tensor:
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    scores = (q @ k.transpose(-1, -2)) * scale
    out: Tensor = scores.masked_fill(~mask, -torch.inf).softmax(-1) @ v
    return out
