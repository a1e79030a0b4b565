"""Mixtral (Jiang et al. 2024, https://arxiv.org/abs/2401.04088): llama with experts."""

from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vall_e.plugin import AttentionKernel, Cache
from vall_e_backbones.experts import Experts
from vall_e_backbones.key_value_cache import KeyValueCache
from vall_e_backbones.llama import (
    GatedFeedForward,
    SelfAttention,
    initialise,
    rotation_of,
    visible,
)
from vall_e_backbones.options import MixtralConfig


class Mixtral(nn.Module):
    """Llama's attention, and a mixture of feed-forward layers. Returns the router's loss."""

    bidirectional = True
    caches = True
    lora_targets = ("layers.*.self_attn.*_proj", "layers.*.mlp.experts.*_proj")

    def __init__(self, config: MixtralConfig, *, attention: AttentionKernel) -> None:
        super().__init__()
        self.config = config
        self.d_model = config.d_model
        self.kv_heads = config.kv_heads or config.heads
        self.layers = nn.ModuleList(
            SparseLayer(config, self.kv_heads, attention) for _ in range(config.layers)
        )
        self.norm = nn.RMSNorm(config.d_model, eps=config.norm_eps)
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
            raise TypeError(f"mixtral needs a cache from its new_cache, got {name}")
        rotation = rotation_of(self.config, positions, x.dtype)
        valid = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
        index = cache.reserve(lengths, x.shape[1]) if cache is not None else None
        mask, causal = visible(x, lengths, index, cache, causal)
        uneven = x.new_zeros(())
        for i, layer in enumerate(self.layers):
            run = partial(layer, valid=valid, cache=cache, index=index, number=i)
            if self.config.checkpointing and self.training and cache is None:
                x, more = checkpoint(run, x, rotation, mask, causal, use_reentrant=False)
            else:
                x, more = run(x, rotation, mask, causal)
            uneven = uneven + more
        return self.norm(x), uneven * (self.config.router_loss / len(self.layers))

    def new_cache(self, batch: int, max_length: int) -> KeyValueCache:
        size = self.config.d_model // self.config.heads
        shape = (len(self.layers), batch, self.kv_heads, max_length + 1, size)
        weight = self.norm.weight
        return KeyValueCache(weight.new_zeros(shape), weight.new_zeros(shape))


class SparseLayer(nn.Module):
    def __init__(self, config: MixtralConfig, kv_heads: int, attention: AttentionKernel) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(config.d_model, eps=config.norm_eps)
        self.self_attn = SelfAttention(config, kv_heads, attention)
        self.post_attention_layernorm = nn.RMSNorm(config.d_model, eps=config.norm_eps)
        make = partial(GatedFeedForward, config)
        self.mlp = Experts(config.d_model, config.experts, config.experts_per_token, make)

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        rotation: tuple[Tensor, Tensor],
        mask: Bool[Tensor, "b 1 t u"] | None,
        causal: bool,
        *,
        valid: Bool[Tensor, "b t"],
        cache: KeyValueCache | None,
        index: Int[Tensor, "b t"] | None,
        number: int,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        x = x + self.self_attn(
            self.input_layernorm(x), rotation, mask, causal, cache, index, number
        )
        added, uneven = self.mlp(self.post_attention_layernorm(x), valid)
        return x + added, uneven
