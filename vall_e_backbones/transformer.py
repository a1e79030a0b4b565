"""The transformer (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762), in pre-norm form.

As in GPT-2: positions are added to the input, norms come before attention and
feed-forward layer, linear layers have biases.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu, relu
from torch.utils.checkpoint import checkpoint

from vall_e.plugin import AttentionKernel, Cache, ConfigError
from vall_e_backbones.key_value_cache import KeyValueCache
from vall_e_backbones.llama import initialise, visible
from vall_e_backbones.options import TransformerConfig


class Transformer(nn.Module):
    """A stack of pre-norm layers and a final norm. Vectors in, vectors out."""

    bidirectional = True
    caches = True
    lora_targets = ("layers.*_proj",)

    def __init__(self, config: TransformerConfig, *, attention: AttentionKernel) -> None:
        super().__init__()
        self.config = config
        self.d_model = config.d_model
        self.positions = (
            LearnedPositions(config.max_positions, config.d_model)
            if config.positions == "learned"
            else SinusoidalPositions(config.d_model)
        )
        self.layers = nn.ModuleList(
            TransformerLayer(config, attention) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.d_model, eps=config.norm_eps)
        initialise(self, config.layers)

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        *,
        lengths: Int[Tensor, " b"],
        positions: Int[Tensor, "b t"],
        causal: bool = True,
        cache: Cache | None = None,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        if cache is not None and not isinstance(cache, KeyValueCache):
            name = type(cache).__name__
            raise TypeError(f"transformer needs a cache from its new_cache, got {name}")
        index = cache.reserve(lengths, x.shape[1]) if cache is not None else None
        mask, causal = visible(x, lengths, index, cache, causal)
        x = x + self.positions(positions).to(x.dtype)
        for i, layer in enumerate(self.layers):
            if self.config.checkpointing and self.training and cache is None:
                x = checkpoint(layer, x, mask, causal, use_reentrant=False)
            else:
                x = layer(x, mask, causal, cache, index, i)
        return self.norm(x), x.new_zeros(())

    def new_cache(self, batch: int, max_length: int) -> KeyValueCache:
        size = self.config.d_model // self.config.heads
        shape = (len(self.layers), batch, self.config.heads, max_length + 1, size)
        weight = self.norm.weight
        return KeyValueCache(weight.new_zeros(shape), weight.new_zeros(shape))


class SinusoidalPositions(nn.Module):
    """Sines in the first half, cosines in the second; wavelengths from 2 pi to 10,000 x 2 pi."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.d_model = d_model

    def forward(self, positions: Int[Tensor, "b t"]) -> Float[Tensor, "b t d"]:
        half = self.d_model // 2
        exponent = torch.arange(half, device=positions.device).float() / half
        angles = positions[..., None].float() * 10_000.0**-exponent
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


class LearnedPositions(nn.Module):
    """A vector for each position below a limit."""

    def __init__(self, limit: int, d_model: int) -> None:
        super().__init__()
        self.table = nn.Embedding(limit, d_model)

    def forward(self, positions: Int[Tensor, "b t"]) -> Float[Tensor, "b t d"]:
        limit = self.table.num_embeddings
        if positions.numel() and int(positions.max()) >= limit:
            raise ConfigError(
                f"transformer: position {int(positions.max())} has no vector, max_positions is "
                f"({limit})",
                hint="train with a larger max_positions or `positions: sinusoidal`, or use "
                "shorter inputs",
            )
        vectors: Tensor = self.table(positions)
        return vectors


class TransformerLayer(nn.Module):
    def __init__(self, config: TransformerConfig, attention: AttentionKernel) -> None:
        super().__init__()
        width = config.d_ff or 4 * config.d_model
        self.head_size = config.d_model // config.heads
        self.attention = attention
        self.attention_norm = nn.LayerNorm(config.d_model, eps=config.norm_eps)
        self.qkv_proj = nn.Linear(config.d_model, 3 * config.d_model)
        self.o_proj = nn.Linear(config.d_model, config.d_model)
        self.feed_forward_norm = nn.LayerNorm(config.d_model, eps=config.norm_eps)
        self.up_proj = nn.Linear(config.d_model, width)
        self.activation = gelu if config.activation == "gelu" else relu
        self.down_proj = nn.Linear(width, config.d_model)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        mask: Bool[Tensor, "b 1 t u"] | None,
        causal: bool,
        cache: KeyValueCache | None = None,
        index: Int[Tensor, "b t"] | None = None,
        number: int = 0,
    ) -> Float[Tensor, "b t d"]:
        heads = self.qkv_proj(self.attention_norm(x)).unflatten(-1, (3, -1, self.head_size))
        q, k, v = heads.unbind(dim=2)  # each (b, t, h, c)
        if cache is not None and index is not None:
            cache.write(number, index, k, v)
            k, v = cache.read(number)
        seen = self.attention(
            q.transpose(1, 2),
            k.transpose(1, 2),
            v.transpose(1, 2),
            mask=mask,
            causal=causal,
            dropout=self.dropout.p if self.training else 0.0,
        )
        x = x + self.dropout(self.o_proj(seen.transpose(1, 2).flatten(2)))
        inner = self.activation(self.up_proj(self.feed_forward_norm(x)))
        out: Tensor = x + self.dropout(self.down_proj(inner))
        return out
