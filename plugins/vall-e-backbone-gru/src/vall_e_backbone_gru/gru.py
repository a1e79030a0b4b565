"""GRU backbone (Cho et al. 2014, https://arxiv.org/abs/1406.1078)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.checkpoint import checkpoint

from vall_e.plugin import Cache, ConfigError
from vall_e_backbone_gru.options import GruConfig


class GruCache:
    """The state after the last position of each row: the whole memory of a GRU."""

    def __init__(self, state: Float[Tensor, "layers b d"], max_length: int) -> None:
        self.state = state
        self.max_length = max_length
        self.lengths = torch.zeros(state.shape[1], dtype=torch.long, device=state.device)

    def select(self, rows: Int[Tensor, " r"]) -> "GruCache":
        chosen = GruCache(self.state[:, rows], self.max_length)
        chosen.lengths = self.lengths[rows]
        return chosen

    def append(self, lengths: Int[Tensor, " b"], state: Float[Tensor, "layers b d"]) -> None:
        """Store the new state of each row that has new positions."""
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
                "gru: a GRU is causal only",
                hint="set model.nar_attention: causal, or use another backbone",
            )
        if cache is None:  # padding is on the right: a causal model never sees it
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
            raise TypeError(f"gru needs a cache from its new_cache, got {type(cache).__name__}")
        end = int((cache.lengths + lengths).max())
        if end > cache.max_length:
            raise ValueError(f"the cache holds {cache.max_length} positions, {end} were requested")
        # Packing returns each row's state at its own end. It needs lengths on the CPU, all above
        # zero; a row without new positions runs one step, which `append` drops.
        counts = lengths.clamp(min=1).cpu()
        packed = pack_padded_sequence(x, counts, batch_first=True, enforce_sorted=False)
        packed, state = self.rnn(packed, cache.state)
        cache.append(lengths, state)
        out: Tensor
        out, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
        return out
