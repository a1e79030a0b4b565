"""The key/value cache of a transformer."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class KeyValueCache:
    """Keys and values of all layers, (layer, b, g, position, c), allocated once.

    Row i is filled up to `lengths[i]`. On the host: `reach`, the length of the fullest row, and
    `even`, whether all rows have the same length. The slot after `max_length` receives padding, so
    that padding never overwrites a valid position.
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self.keys = keys
        self.values = values
        self.max_length = keys.shape[3] - 1
        self.lengths = torch.zeros(keys.shape[1], dtype=torch.long, device=keys.device)
        self.reach = 0
        self.even = True
        self._rows = torch.arange(keys.shape[1], device=keys.device)

    def select(self, rows: Int[Tensor, " r"]) -> "KeyValueCache":
        """These rows. Synchronizes with the device."""
        chosen = KeyValueCache(self.keys[:, rows], self.values[:, rows])
        chosen._hold(self.lengths[rows])
        return chosen

    def rewind(self, lengths: Int[Tensor, " b"]) -> None:
        """Continue after this many positions of each row. Synchronizes with the device."""
        self._hold(lengths.clone())

    def reserve(self, lengths: Int[Tensor, " b"], size: int) -> Int[Tensor, "b t"]:
        """Indices of the next `size` positions of each row, of which `lengths` are valid.

        Synchronizes with the device.
        """
        starts = self.lengths
        self._hold(starts + lengths)
        if self.reach > self.max_length:
            raise ValueError(
                f"the cache holds {self.max_length} positions, {self.reach} were requested"
            )
        index = starts[:, None] + torch.arange(size, device=starts.device)
        return index.where(index < self.lengths[:, None], self.max_length)

    def advance(self) -> tuple[Int[Tensor, " b"], Bool[Tensor, "b 1 1 u"] | None]:
        """Index of one more position per row, and its mask (None: it sees all positions).

        Does not synchronize: every row is known to grow by one.
        """
        index = self.grow()
        return index, None if self.even else self._up_to(index)

    def grow(self) -> Int[Tensor, " b"]:
        if self.reach == self.max_length:
            raise ValueError(f"the cache holds {self.max_length} positions, which are all filled")
        index = self.lengths
        self.lengths = index + 1
        self.reach += 1
        return index

    def steady(self, size: int) -> "KeyValueCache":
        return SteadyView(self, size)

    def put(
        self,
        layer: int,
        index: Int[Tensor, " b"],
        k: Float[Tensor, "b g c"],
        v: Float[Tensor, "b g c"],
    ) -> tuple[Float[Tensor, "b g u c"], Float[Tensor, "b g u c"]]:
        """Write one position of each row; returns all that a layer holds, as attention reads it."""
        keys, values = self.keys[layer], self.values[layer]
        keys[self._rows, :, index] = k
        values[self._rows, :, index] = v
        return keys[:, :, : self.reach], values[:, :, : self.reach]

    def write(self, layer: int, index: Int[Tensor, "b t"], k: Tensor, v: Tensor) -> None:
        rows = self._rows[:, None]
        keys, values = self.keys[layer], self.values[layer]
        keys[rows, :, index] = k
        values[rows, :, index] = v

    def read(self, layer: int) -> tuple[Float[Tensor, "b u g c"], Float[Tensor, "b u g c"]]:
        keys, values = self.keys[layer], self.values[layer]
        return keys[:, :, : self.reach].transpose(1, 2), values[:, :, : self.reach].transpose(1, 2)

    def _up_to(self, index: Int[Tensor, " b"]) -> Bool[Tensor, "b 1 1 u"]:
        slots = torch.arange(self.reach, device=index.device)
        return (slots <= index[:, None])[:, None, None]

    def _hold(self, lengths: Int[Tensor, " b"]) -> None:
        self.lengths = lengths
        fewest, self.reach = torch.stack(lengths.aminmax()).tolist()
        self.even = fewest == self.reach


class SteadyView(KeyValueCache):
    """The memory of another cache, for steps that all have the same shape (`SteadyCache`)."""

    def __init__(self, cache: KeyValueCache, size: int) -> None:
        super().__init__(cache.keys, cache.values)
        self.lengths = cache.lengths.clone()
        self.reach = size

    def advance(self) -> tuple[Int[Tensor, " b"], Bool[Tensor, "b 1 1 u"]]:
        return self.lengths, self._up_to(self.lengths)
