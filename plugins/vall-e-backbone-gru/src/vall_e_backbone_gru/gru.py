"""GRU backbone (Cho et al. 2014, https://arxiv.org/abs/1406.1078)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.checkpoint import checkpoint

from vall_e.plugin import Cache, ConfigError
from vall_e_backbone_gru.options import GruConfig


class GruCache:
    """The state after the last position of each row: all that a GRU remembers."""

    def __init__(self, state: Float[Tensor, "layers b d"], max_length: int) -> None:
        self.state = state
        self.max_length = max_length
        self.lengths = torch.zeros(state.shape[1], dtype=torch.long, device=state.device)

    def select(self, rows: Int[Tensor, " r"]) -> "GruCache":
        chosen = GruCache(self.state[:, rows], self.max_length)
        chosen.lengths = self.lengths[rows]
        return chosen

    def append(self, lengths: Int[Tensor, " b"], state: Float[Tensor, "layers b d"]) -> None:
        """Take the new state of each row that got new positions."""
        self.state = torch.where((lengths > 0)[:, None], state, self.state)
        self.lengths = self.lengths + lengths


class Gru(nn.Module):
    """A stack of GRU layers. Vectors in, vectors out; positions are implied by the order."""

    bidirectional = False
    caches = True

    def __init__(self, config: GruConfig) -> None:
        super().__init__()
        self.config = config
        self.d_model = config.d_model
        self.rnn = nn.GRU(config.d_model, config.d_model, config.layers, batch_first=True)

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        *,
        lengths: Int[Tensor, " b"],
        positions: Int[Tensor, "b t"],
        causal: bool = True,
        cache: Cache | None = None,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        if not causal:
            raise ConfigError(
                "gru: a GRU reads left to right only",
                hint="set model.nar_attention: causal, or take another backbone",
            )
        if cache is None:  # padding is on the right: a causal model never gets to see it
            again = self.config.checkpointing and self.training
            out, _ = checkpoint(self.rnn, x, use_reentrant=False) if again else self.rnn(x)
        else:
            out = self._continue(x, lengths, cache)
        return out, x.new_zeros(())

    def new_cache(self, batch: int, max_length: int) -> GruCache:
        weight = next(self.rnn.parameters())
        return GruCache(weight.new_zeros(self.rnn.num_layers, batch, self.d_model), max_length)

    def _continue(
        self, x: Float[Tensor, "b t d"], lengths: Int[Tensor, " b"], cache: Cache
    ) -> Float[Tensor, "b t d"]:
        if not isinstance(cache, GruCache):
            raise TypeError(f"gru needs a cache of its own new_cache, got {type(cache).__name__}")
        end = int((cache.lengths + lengths).max())
        if end > cache.max_length:
            raise ValueError(f"the cache holds {cache.max_length} positions, {end} were asked")
        # Packing gives each row's state at its own end. It wants lengths on the CPU, none of them
        # zero; a row that got nothing runs one step, which `append` drops.
        counts = lengths.clamp(min=1).cpu()
        packed = pack_padded_sequence(x, counts, batch_first=True, enforce_sorted=False)
        packed, state = self.rnn(packed, cache.state)
        cache.append(lengths, state)
        out: Tensor
        out, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
        return out
