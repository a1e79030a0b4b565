"""What the core relies on in an attention kernel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from vall_e.errors import UnavailableError
from vall_e.interfaces.attention import AttentionCase, AttentionKernel
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_close, require_equal, require_error

Kind = Literal["all", "causal", "padding", "block", "padded block", "step", "masked step"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DTYPES = (torch.float32, torch.bfloat16, torch.float16)
HEADS, SIZE, LENGTH = 4, 16, 6
LONG = 150
"""More than a tile of any kernel, and not a multiple of one."""


class AttentionContract:
    """`make` returns the kernel, which runs on `device`.

    Cases that it declares unsupported are skipped with its reason, after checking that it also
    refuses the call. `padding` is a mask shared by all queries, as backbones make it; `block` is
    not.
    """

    device = torch.device("cpu")
    tolerance: Mapping[torch.dtype, float] = {
        torch.float32: 1e-5,
        torch.float16: 5e-3,
        torch.bfloat16: 2e-2,
    }
    """The dtypes tested, with the allowed deviation of outputs; gradients may have three times
    it."""

    def make(self) -> AttentionKernel:
        raise NotImplementedError

    @pytest.mark.parametrize("dtype", DTYPES, ids=str)
    @pytest.mark.parametrize("kv_heads", [1, 2, 4])
    @pytest.mark.parametrize("kind", KINDS)
    def test_equals_the_plain_formula(self, kind: Kind, kv_heads: int, dtype: torch.dtype) -> None:
        q, k, v = _inputs(kind, kv_heads, self.device, dtype)
        out = self._attend(q, k, v, kind=kind)
        assert out.dtype == dtype, (
            f"the output is {out.dtype}, the inputs are {dtype}: cast it back"
        )
        assert out.shape == q.shape, f"the output has shape {tuple(out.shape)}, q {tuple(q.shape)}"
        self._compare(out, _plain(q.double(), k.double(), v.double(), self._allowed(kind)))

    @pytest.mark.parametrize("kind", ["all", "causal", "padding", "padded block"])
    def test_equals_the_plain_formula_over_many_keys(self, kind: Kind) -> None:
        q, k, v = _inputs(kind, 2, self.device, self._finest(), LONG)
        out = self._attend(q, k, v, kind=kind)
        allowed = self._allowed(kind, LONG)
        self._compare(out, _plain(q.double(), k.double(), v.double(), allowed))

    def test_a_few_queries_of_many_keys(self) -> None:
        """As with a cache that gets several positions at once: the mask is not square."""
        q, k, v = _inputs("all", 2, self.device, self._finest())
        q, places = q[:, :, :3], torch.arange(LENGTH, device=self.device)
        mask = (places <= places[2:5, None]).expand(2, 1, -1, -1)
        self._compare(
            self._given(q, k, v, mask=mask), _plain(q.double(), k.double(), v.double(), mask)
        )

    @pytest.mark.parametrize("size", [8, 24, 80])
    def test_heads_of_any_size_are_computed_or_refused(self, size: int) -> None:
        q, k, v = _inputs("causal", 2, self.device, self._finest(), size=size)
        out = self._attend(q, k, v, kind="causal")
        wanted = _plain(q.double(), k.double(), v.double(), self._allowed("causal"))
        self._compare(out, wanted)

    @pytest.mark.parametrize("dtype", DTYPES, ids=str)
    @pytest.mark.parametrize("kv_heads", [2, 4])
    @pytest.mark.parametrize("kind", KINDS)
    def test_gradients_equal_the_plain_formula(
        self, kind: Kind, kv_heads: int, dtype: torch.dtype
    ) -> None:
        inputs = _inputs(kind, kv_heads, self.device, dtype)
        q, k, v = (x.requires_grad_() for x in inputs)
        self._compare_gradients(self._attend(q, k, v, kind=kind), [q, k, v], self._allowed(kind))

    @pytest.mark.parametrize("kind", ["causal", "padded block"])
    def test_gradients_equal_the_plain_formula_over_many_keys(self, kind: Kind) -> None:
        inputs = _inputs(kind, 2, self.device, self._finest(), LONG)
        q, k, v = (x.requires_grad_() for x in inputs)
        out = self._attend(q, k, v, kind=kind)
        self._compare_gradients(out, [q, k, v], self._allowed(kind, LONG))

    def test_uses_a_given_scale(self) -> None:
        q, k, v = _inputs("all", HEADS, self.device, self._finest())
        out = self._attend(q, k, v, scale=0.7)
        wanted = _plain(q.double(), k.double(), v.double(), self._allowed("all"), scale=0.7)
        self._compare(out, wanted)

    def test_large_scores_do_not_overflow(self) -> None:
        q, k, v = _inputs("causal", HEADS, self.device, self._finest())
        q = q * 200
        out = self._attend(q, k, v, kind="causal")
        wanted = _plain(q.double(), k.double(), v.double(), self._allowed("causal"))
        self._compare(out, wanted, least=1e-3)

    def test_drops_single_weights_and_scales_up_the_rest(self) -> None:
        """All keys are alike and the values are unit vectors twice, so the output is the
        weights."""
        keys = SIZE // 2
        q = torch.zeros(8, HEADS, 32, SIZE, device=self.device, dtype=self._finest())
        k = q.new_zeros(8, HEADS, keys, SIZE)
        v = torch.eye(keys).to(q).repeat(1, 2).expand_as(k).contiguous()
        first, second = self._attend(q, k, v, dropout=0.25), self._attend(q, k, v, dropout=0.25)
        weights, again = first.chunk(2, dim=-1)
        require_close(
            weights, again, "dropout must drop attention weights, not single values or outputs"
        )
        kept = weights[weights != 0]
        self._compare(kept, torch.full_like(kept, 1 / keys / 0.75).double())
        share = kept.numel() / weights.numel()
        assert abs(share - 0.75) < 0.03, f"with dropout 0.25, {share:.2f} of the weights are kept"
        assert not torch.equal(first, second), "two calls drop the same weights: use a random mask"

    def test_without_dropout_it_is_deterministic(self) -> None:
        q, k, v = _inputs("all", HEADS, self.device, self._finest())
        require_equal(
            self._attend(q, k, v), self._attend(q, k, v), "two calls without dropout differ"
        )

    def test_does_not_change_its_inputs(self) -> None:
        inputs = [*_inputs("padding", 2, self.device, self._finest()), self._allowed("padding")]
        copies = [x.clone() for x in inputs]
        q, k, v, mask = inputs
        self._given(q, k, v, mask=mask)
        for given, copy in zip(inputs, copies, strict=True):
            require_equal(given, copy, "an input was changed in place: work on a copy")

    def test_has_a_name(self) -> None:
        assert self.make().name, "the kernel has no `name`"

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
        mask = self._allowed(kind, k.shape[2]) if kind in _MASKED else None
        return self._given(
            q, k, v, mask=mask, causal=kind == "causal", scale=scale, dropout=dropout
        )

    def _given(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        scale: float | None = None,
        dropout: float = 0.0,
    ) -> Tensor:
        """The kernel's output. If it cannot compute the case, checks that it says so, and skips."""
        kernel = self.make()
        case = AttentionCase.of(q, k, mask=mask, causal=causal, dropout=dropout)
        reason = kernel.unsupported(case)
        if reason is None:
            return kernel(q, k, v, mask=mask, causal=causal, scale=scale, dropout=dropout)
        assert reason, "`unsupported` returned an empty reason: return None, or say why"
        refusal = "`unsupported` gives a reason, but the call does not refuse with it"
        with require_error(UnavailableError, refusal, match=re.escape(reason)):
            kernel(q, k, v, mask=mask, causal=causal, scale=scale, dropout=dropout)
        pytest.skip(f"{kernel.name}: {reason}")

    def _finest(self) -> torch.dtype:
        return min(self.tolerance, key=self.tolerance.__getitem__)

    def _allowed(self, kind: Kind, length: int = LENGTH) -> Tensor:
        return _allowed(kind, length, self.device)

    def _compare(
        self, out: Tensor, wanted: Tensor, *, times: float = 1.0, least: float = 0.0
    ) -> None:
        limit = max(self.tolerance.get(out.dtype, 0.0) * times, least)
        message = "the output differs from softmax(q k^T * scale + mask) v: check mask and scale"
        require_close(out.double(), wanted, message, rtol=limit, atol=limit)

    def _compare_gradients(self, out: Tensor, inputs: list[Tensor], allowed: Tensor) -> None:
        """Gradients of a randomly weighted sum of the outputs, against the formula in double."""
        weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
        weights = weights.to(out.device, out.dtype)
        ours = torch.autograd.grad((out * weights).sum(), inputs)
        exact = [x.detach().double().requires_grad_() for x in inputs]
        plain = (_plain(exact[0], exact[1], exact[2], allowed) * weights).sum()
        for mine, theirs in zip(ours, torch.autograd.grad(plain, exact), strict=True):
            assert mine.dtype == out.dtype, f"a gradient is {mine.dtype}, its input {out.dtype}"
            self._compare(mine, theirs, times=3)


_MASKED = {"padding", "block", "padded block", "masked step"}


def _inputs(
    kind: Kind,
    kv_heads: int,
    device: torch.device,
    dtype: torch.dtype,
    length: int = LENGTH,
    size: int = SIZE,
) -> list[Tensor]:
    """Four query heads, two rows; laid out as a backbone splits its heads."""
    generator = torch.Generator().manual_seed(0)
    queries = 1 if kind in {"step", "masked step"} else length
    shapes = ((queries, HEADS), (length, kv_heads), (length, kv_heads))
    return [
        torch.randn(2, positions, heads, size, generator=generator)
        .to(device=device, dtype=dtype)
        .transpose(1, 2)
        for positions, heads in shapes
    ]


def _allowed(kind: Kind, length: int, device: torch.device) -> Tensor:
    """(2, 1, t, u), True where attention is allowed; a mask of keys holds one row in memory."""
    valid = torch.ones(2, 1, 1, length, dtype=torch.bool, device=device)
    if kind in {"padding", "padded block", "masked step"}:
        valid[1, :, :, length * 2 // 3 :] = False
    if kind in {"step", "masked step"}:
        return valid
    allowed = valid.expand(-1, -1, length, -1)
    if kind == "causal":
        return allowed.tril()
    if "block" in kind:
        allowed = allowed.clone()
        allowed[:, :, : length // 2, length // 2 :] = False
    return allowed


def _plain(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, *, scale: float | None = None) -> Tensor:
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    scores = (q @ k.transpose(-1, -2)) * (q.shape[-1] ** -0.5 if scale is None else scale)
    out: Tensor = scores.masked_fill(~mask, -torch.inf).softmax(-1) @ v
    return out
