"""What the core asks of a backbone. Torch-free; sizes: `vall_e.interfaces`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from jaxtyping import Float, Int
    from torch import Tensor


@runtime_checkable
class Cache(Protocol):
    """The state that a backbone keeps for the positions it has processed, one row per request.

    Allocated once for `max_length` positions. `lengths` says how many each row holds; a forward
    pass with `lengths=n` appends n positions to each row (rows may differ). Writing past
    `max_length` is a `ValueError`.
    """

    lengths: Int[Tensor, " b"]
    max_length: int

    def select(self, rows: Int[Tensor, " r"]) -> Cache:
        """The cache of these rows only, in this order (finished requests leave the batch)."""
        ...


@runtime_checkable
class Backbone(Protocol):
    """A stack that maps a sequence of vectors to a sequence of vectors; a `torch.nn.Module`.

    `bidirectional` says whether it can run with `causal=False`; `caches` whether `new_cache` works.
    """

    d_model: int
    bidirectional: bool
    caches: bool

    def __call__(
        self,
        x: Float[Tensor, "b t d"],
        *,
        lengths: Int[Tensor, " b"],
        positions: Int[Tensor, "b t"],
        causal: bool = True,
        cache: Cache | None = None,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        """Run over right-padded rows; gives the hidden states and an auxiliary loss (0 if none).

        `lengths` counts the valid positions of each row of `x`; `positions` are the indices that
        positional encodings use. With a cache (causal only) `x` continues what the cache holds.
        Outputs past `lengths` are unspecified but finite.
        """
        ...

    def new_cache(self, batch: int, max_length: int) -> Cache:
        """Allocate a cache on the module's device and dtype."""
        ...


@runtime_checkable
class LayeredCache(Cache, Protocol):
    """A cache that can be cut back to earlier positions."""

    def rewind(self, lengths: Int[Tensor, " b"]) -> None:
        """Keep this many positions of each row; later ones will be overwritten."""
        ...


@runtime_checkable
class SteadyCache(Cache, Protocol):
    """A cache whose step can be recorded and replayed as a CUDA graph."""

    reach: int
    """The length of the fullest row, known on the host."""

    def grow(self) -> Int[Tensor, " b"]:
        """Count one more position per row and return its index. Does not synchronize."""
        ...

    def steady(self, size: int) -> Cache:
        """The same memory, for a step (`Stepping`) that does the same work each time.

        It reads `size` positions; a mask computed on the device selects the valid ones. It writes
        at `lengths`, a tensor of its own that is filled before each step, and does not increase the
        count.
        """
        ...


@runtime_checkable
class Layered(Protocol):
    """Extra methods of a `Backbone` whose layers can be run one by one. LayerSkip needs them.

    A whole pass is `exit(span(x, first=0, last=depth))`. `new_cache` gives a `LayeredCache`.
    """

    depth: int

    def span(
        self,
        x: Float[Tensor, "b t d"],
        *,
        first: int,
        last: int,
        lengths: Int[Tensor, " b"],
        positions: Int[Tensor, "b t"],
        causal: bool = True,
        cache: Cache | None = None,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        """Run layers `first` to `last - 1` over states that left layer `first - 1`.

        Everything else is as in a full pass. Only these layers' part of the cache is read and
        written; its lengths grow all the same, so `rewind` it before running the layers that
        follow. A row of length 0 changes nothing.
        """
        ...

    def exit(self, x: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
        """The input of the heads, from states that left any layer."""
        ...


@runtime_checkable
class Gathering(Backbone, Protocol):
    """Extra method of a `Backbone` that can return only some of the states. Optional."""

    gathers: bool
    """True."""

    def __call__(
        self,
        x: Float[Tensor, "b t d"],
        *,
        lengths: Int[Tensor, " b"],
        positions: Int[Tensor, "b t"],
        causal: bool = True,
        cache: Cache | None = None,
        wanted: Int[Tensor, "b n"] | None = None,
    ) -> tuple[Float[Tensor, "b _ d"], Float[Tensor, ""]]:
        """As for any backbone; with positions `wanted`, the hidden states there, (b, n, d).

        The last layer may skip the other positions. The cache is filled as in any pass.
        """
        ...


@runtime_checkable
class Stepping(Protocol):
    """Extra method of a `Backbone` that appends one position to every row faster. Optional."""

    def steps(self) -> Callable[[Tensor, Tensor, Cache], Tensor]:
        """`step(x, positions, cache)` for one decoding run, during which the weights do not change.

        Takes vectors (b, d) and positions (b,) and returns states (b, d), as a pass over `x[:,
        None]` with lengths of 1 would, up to rounding, without gradients and without synchronizing
        with a GPU.
        """
        ...


@runtime_checkable
class Joinable(Protocol):
    """A linear layer that can be fused with others that have the same input, as in int8."""

    out_features: int

    def joined(self, others: Sequence[torch.nn.Module]) -> Callable[[Tensor], Tensor] | None:
        """A function that computes the outputs (*n, o) of this layer and the others side by side.

        None if they cannot be fused.
        """
        ...
