"""One more position for every row, in as few operations as possible.

On a CPU a small model spends more time between its operations than in them. So products with the
same input are fused, and constants are computed once. Results equal those of a whole
pass, up to rounding.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate

import torch
from attrs import frozen
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import linear, rms_norm

from vall_e.plugin import AttentionKernel, Cache, Joinable
from vall_e_backbones.key_value_cache import KeyValueCache
from vall_e_backbones.small_batch_matmul import UNPACKED, FewRows

Rotation = tuple[Tensor, Tensor]
"""Cosines and signed sines of RoPE, (b, 1, c) each."""


@frozen(eq=False)
class LayerSteps:
    """A Llama layer, for one position of each row."""

    attention_norm: Callable[[Tensor], Tensor]
    queries_keys_values: Callable[[Tensor], Tensor]
    attention: AttentionKernel
    output: Callable[[Tensor, Tensor], Tensor]
    """Adds to the residual stream, as `down` does."""
    feed_forward_norm: Callable[[Tensor], Tensor]
    gate_and_up: Callable[[Tensor], Tensor]
    activation: Callable[[Tensor], Tensor]
    down: Callable[[Tensor, Tensor], Tensor]
    kv_heads: int
    head_size: int

    def __call__(
        self,
        x: Float[Tensor, "b d"],
        rotation: Rotation,
        cache: KeyValueCache,
        number: int,
        index: Int[Tensor, " b"],
        mask: Bool[Tensor, "b 1 1 u"] | None,
    ) -> Float[Tensor, "b d"]:
        made = self.queries_keys_values(self.attention_norm(x)).view(len(x), -1, self.head_size)
        turned = rotate(made[:, : -self.kv_heads], rotation)  # (b, h + g, c)
        k, v = turned[:, -self.kv_heads :], made[:, -self.kv_heads :]
        keys, values = cache.put(number, index, k, v)
        heard = self.attention(
            turned[:, : -self.kv_heads, None], keys, values, mask=mask, causal=False
        )
        x = self.output(x, heard.flatten(1))
        gate, up = self.gate_and_up(self.feed_forward_norm(x)).chunk(2, dim=-1)
        return self.down(x, self.activation(gate) * up)


@frozen(eq=False)
class LlamaStepper:
    """A Llama, for one position of each row, without gradients."""

    layers: Sequence[LayerSteps]
    norm: Callable[[Tensor], Tensor]
    frequencies: Float[Tensor, " c_half"]

    def __call__(
        self, x: Float[Tensor, "b d"], positions: Int[Tensor, " b"], cache: Cache
    ) -> Float[Tensor, "b d"]:
        if not isinstance(cache, KeyValueCache):
            raise TypeError(f"llama needs a cache from its new_cache, got {type(cache).__name__}")
        rotation = self._rotation(positions, x.dtype)
        index, mask = cache.advance()
        for number, layer in enumerate(self.layers):
            x = layer(x, rotation, cache, number, index, mask)
        return self.norm(x)

    def _rotation(self, positions: Int[Tensor, " b"], dtype: torch.dtype) -> Rotation:
        angles = positions[:, None, None].float() * self.frequencies
        cosines, sines = angles.cos().to(dtype), angles.sin().to(dtype)
        return torch.cat([cosines, cosines], -1), torch.cat([-sines, sines], -1)


def rotate(x: Float[Tensor, "b n c"], rotation: Rotation) -> Float[Tensor, "b n c"]:
    """RoPE, half-split: the halves are swapped, and the first half is then negated."""
    cosines, sines = rotation
    return torch.addcmul(x * cosines, x.roll(x.shape[-1] // 2, -1), sines)


def together(layers: Sequence[nn.Module]) -> Callable[[Tensor], Tensor]:
    """The outputs of all the layers, which have the same input, side by side.

    Plain linear layers become one product: their weights are moved in memory so that they are
    adjacent, and stay the same parameters.
    """
    plain = [layer for layer in layers if isinstance(layer, nn.Linear) and _is_plain(layer)]
    if len(plain) == len(layers):
        weight = _one_after_the_other([layer.weight for layer in plain])
        return FewRows(weight) if FewRows.can(weight) else partial(linear, weight=weight)
    return joined(layers) or (lambda x: torch.cat([layer(x) for layer in layers], dim=-1))


def joined(layers: Sequence[nn.Module]) -> Callable[[Tensor], Tensor] | None:
    """One product of layers that support fusing."""
    first, *others = layers
    return first.joined(others) if isinstance(first, Joinable) else None


def outputs(x: Float[Tensor, "*n i"], *layers: nn.Module) -> Sequence[Tensor]:
    """Outputs of layers with the same input; by one product if they support it."""
    whole = None if type(layers[0]) is nn.Linear else joined(layers)
    if whole is None:
        return [layer(x) for layer in layers]
    sizes = [layer.out_features for layer in layers if isinstance(layer, Joinable)]
    return torch.split(whole(x), sizes, dim=-1)


def onto(layer: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """A function of x and y that returns x + layer(y)."""
    if not (isinstance(layer, nn.Linear) and _is_plain(layer)):
        return lambda x, y: x + layer(y)
    weight = layer.weight.detach()
    turned = weight.t()
    if not FewRows.can(weight):
        return lambda x, y: torch.addmm(x, y, turned)
    product = FewRows(weight)

    def added(x: Tensor, y: Tensor) -> Tensor:
        return torch.addmm(x, y, turned) if len(y) <= UNPACKED else x + product(y)

    return added


def normed(norm: nn.RMSNorm) -> Callable[[Tensor], Tensor]:
    """A function that returns x / sqrt(mean(x^2) + eps) * weight."""
    weight, size = norm.weight.detach(), norm.weight.shape
    eps = norm.eps or 0.0
    if weight.dtype != torch.float32 or weight.device.type != "cpu":
        return lambda x: rms_norm(x, size, weight, eps)
    # On a CPU torch's own takes seven operations; this takes four, a third of the time.
    scale, floor = weight * len(weight) ** 0.5, torch.tensor((eps * len(weight)) ** 0.5)

    def by_length(x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        out: Tensor = x / torch.hypot(length, floor) * scale
        return out

    return by_length


def _is_plain(layer: nn.Linear) -> bool:
    """Whether it only computes x W^T: a subclass may do more, as an adapter does."""
    return type(layer) is nn.Linear and layer.bias is None and not layer.weight.is_inference()


def _one_after_the_other(weights: Sequence[Tensor]) -> Float[Tensor, "n i"]:
    """A view of all the weights (o, i), which share memory afterwards."""
    ends = accumulate(weight.nbytes for weight in weights)
    first = weights[0]
    places = [first.data_ptr(), *(first.data_ptr() + end for end in ends)]
    lie_so = all(
        weight.data_ptr() == place
        and weight.is_contiguous()
        and weight.untyped_storage().data_ptr() == first.untyped_storage().data_ptr()
        for weight, place in zip(weights, places, strict=False)
    )
    if not lie_so:
        with torch.inference_mode(False), torch.no_grad():
            joined = torch.cat([weight.detach() for weight in weights])
            for weight, part in zip(
                weights, torch.split(joined, [len(w) for w in weights]), strict=True
            ):
                weight.data = part
    rows = sum(len(weight) for weight in weights)
    return first.detach().as_strided((rows, first.shape[1]), (first.shape[1], 1))
