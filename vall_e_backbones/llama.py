"""Llama (Touvron et al. 2023, https://arxiv.org/abs/2302.13971), with a preallocated cache.

Our own implementation instead of transformers': the attention kernel is exchangeable, positions
may restart in each segment, and rows of one batch may hold different numbers of positions.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu, silu
from torch.utils.checkpoint import checkpoint

from vall_e.plugin import AttentionKernel, Cache
from vall_e_backbones.decoding_step import LayerSteps, LlamaStepper, normed, onto, outputs, together
from vall_e_backbones.key_value_cache import KeyValueCache
from vall_e_backbones.options import LlamaConfig


class Llama(nn.Module):
    """A stack of pre-norm layers and a final norm. No embeddings: vectors in, vectors out."""

    bidirectional = True
    caches = True
    gathers = True
    lora_targets: tuple[str, ...] = ("layers.*.self_attn.*_proj", "layers.*.mlp.*_proj")

    def __init__(self, config: LlamaConfig, *, attention: AttentionKernel) -> None:
        super().__init__()
        self.config = config
        self.d_model = config.d_model
        self.depth = config.layers
        self.kv_heads = config.kv_heads or config.heads
        self.head_size = config.d_model // config.heads
        self.layers = nn.ModuleList(
            LlamaLayer(config, self.kv_heads, attention) for _ in range(config.layers)
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
        wanted: Int[Tensor, "b n"] | None = None,
    ) -> tuple[Float[Tensor, "b _ d"], Float[Tensor, ""]]:
        layers = range(self.depth)
        x = self._through(layers, x, lengths, positions, causal, cache, wanted)
        return self.exit(x), x.new_zeros(())

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
        layers = range(first, last)
        x = self._through(layers, x, lengths, positions, causal, cache)
        return x, x.new_zeros(())

    def _through(
        self,
        layers: range,
        x: Float[Tensor, "b t d"],
        lengths: Int[Tensor, " b"],
        positions: Int[Tensor, "b t"],
        causal: bool,
        cache: Cache | None,
        wanted: Int[Tensor, "b n"] | None = None,
    ) -> Float[Tensor, "b _ d"]:
        """From the last of these layers only the states at `wanted` are returned, if given."""
        if cache is not None and not isinstance(cache, KeyValueCache):
            raise TypeError(f"llama needs a cache from its new_cache, got {type(cache).__name__}")
        rotation = rotation_of(self.config, positions, x.dtype)
        index = cache.reserve(lengths, x.shape[1]) if cache is not None else None
        mask, causal = visible(x, lengths, index, cache, causal)
        for i in layers:
            layer = self.layers[i]
            places = wanted if i == layers[-1] else None
            if self.config.checkpointing and self.training and cache is None:
                x = checkpoint(
                    layer, x, rotation, mask, causal, None, None, i, places, use_reentrant=False
                )
            else:
                x = layer(x, rotation, mask, causal, cache, index, i, places)
        return x

    def exit(self, x: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
        out: Tensor = self.norm(x)
        return out

    def new_cache(self, batch: int, max_length: int) -> KeyValueCache:
        weight = self.norm.weight
        shape = (len(self.layers), batch, self.kv_heads, max_length + 1, self.head_size)
        return KeyValueCache(weight.new_zeros(shape), weight.new_zeros(shape))

    def steps(self) -> LlamaStepper:
        """A pass over one position of each row of a cache, with the current weights."""
        frequencies = frequencies_of(self.config, self.norm.weight.device)
        layers = [layer.steps() for layer in self.layers if isinstance(layer, LlamaLayer)]
        return LlamaStepper(layers, normed(self.norm), frequencies)


class LlamaLayer(nn.Module):
    """Attention, then a gated feed-forward; module names as in Hugging Face's Llama."""

    def __init__(self, config: LlamaConfig, kv_heads: int, attention: AttentionKernel) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(config.d_model, eps=config.norm_eps)
        self.self_attn = SelfAttention(config, kv_heads, attention)
        self.post_attention_layernorm = nn.RMSNorm(config.d_model, eps=config.norm_eps)
        self.mlp = GatedFeedForward(config)

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        rotation: tuple[Tensor, Tensor],
        mask: Bool[Tensor, "b 1 t u"] | None,
        causal: bool,
        cache: KeyValueCache | None = None,
        index: Int[Tensor, "b t"] | None = None,
        number: int = 0,
        wanted: Int[Tensor, "b n"] | None = None,
    ) -> Float[Tensor, "b _ d"]:
        x = gathered(x, wanted) + self.self_attn(
            self.input_layernorm(x), rotation, mask, causal, cache, index, number, wanted
        )
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out

    def steps(self) -> LayerSteps:
        """The layer with its current weights, for decoding."""
        attention, mlp = self.self_attn, self.mlp
        return LayerSteps(
            attention_norm=normed(self.input_layernorm),
            queries_keys_values=together([attention.q_proj, attention.k_proj, attention.v_proj]),
            attention=attention.attention,
            output=onto(attention.o_proj),
            feed_forward_norm=normed(self.post_attention_layernorm),
            gate_and_up=together([mlp.gate_proj, mlp.up_proj]),
            activation=mlp.activation,
            down=onto(mlp.down_proj),
            kv_heads=attention.kv_heads,
            head_size=attention.head_size,
        )


class SelfAttention(nn.Module):
    def __init__(self, config: LlamaConfig, kv_heads: int, attention: AttentionKernel) -> None:
        super().__init__()
        size = config.d_model // config.heads
        self.head_size = size
        self.kv_heads = kv_heads
        self.dropout = config.dropout
        self.attention = attention
        self.q_proj = nn.Linear(config.d_model, config.heads * size, bias=False)
        self.k_proj = nn.Linear(config.d_model, kv_heads * size, bias=False)
        self.v_proj = nn.Linear(config.d_model, kv_heads * size, bias=False)
        self.o_proj = nn.Linear(config.heads * size, config.d_model, bias=False)

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        rotation: tuple[Tensor, Tensor],
        mask: Bool[Tensor, "b 1 t u"] | None,
        causal: bool,
        cache: KeyValueCache | None,
        index: Int[Tensor, "b t"] | None,
        number: int,
        wanted: Int[Tensor, "b n"] | None = None,
    ) -> Float[Tensor, "b _ d"]:
        q, k, v = (
            projected.view(*x.shape[:2], -1, self.head_size)  # (b, t, h or g, c)
            for projected in outputs(x, self.q_proj, self.k_proj, self.v_proj)
        )
        # Under autocast the rotation is in fp32; the kernel gets one dtype, that of the products.
        q, k = _rotate(q, rotation).to(v.dtype), _rotate(k, rotation).to(v.dtype)
        if cache is not None and index is not None:
            cache.write(number, index, k, v)
            k, v = cache.read(number)
        out = self.attention(
            q.transpose(1, 2),
            k.transpose(1, 2),
            v.transpose(1, 2),
            mask=mask,
            causal=causal,
            dropout=self.dropout if self.training else 0.0,
        )
        merged: Tensor = self.o_proj(gathered(out.transpose(1, 2).flatten(2), wanted))
        return merged


class GatedFeedForward(nn.Module):
    """down(act(gate(x)) * up(x)) (Shazeer 2020, https://arxiv.org/abs/2002.05202)."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        width = config.d_ff or -(-config.d_model * 8 // 96) * 32
        self.activation = silu if config.activation == "silu" else gelu
        self.gate_proj = nn.Linear(config.d_model, width, bias=False)
        self.up_proj = nn.Linear(config.d_model, width, bias=False)
        self.down_proj = nn.Linear(width, config.d_model, bias=False)

    def forward(self, x: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
        gate, up = outputs(x, self.gate_proj, self.up_proj)
        out: Tensor = self.down_proj(self.activation(gate) * up)
        return out


def gathered(
    x: Float[Tensor, "b t d"], wanted: Int[Tensor, "b n"] | None
) -> Float[Tensor, "b _ d"]:
    """The vectors at these positions of each row; all of them if none are given."""
    return x if wanted is None else x[torch.arange(len(x), device=x.device)[:, None], wanted]


def initialise(stack: nn.Module, layers: int) -> None:
    """N(0, 0.02); smaller for layers that write to the residual stream, by their number (GPT-2)."""
    for name, weight in stack.named_parameters():
        if weight.ndim == 2:
            writes = name.endswith(("o_proj.weight", "down_proj.weight"))
            nn.init.normal_(weight, std=0.02 / (2 * layers) ** 0.5 if writes else 0.02)


def visible(
    x: Float[Tensor, "b t d"],
    lengths: Int[Tensor, " b"],
    index: Int[Tensor, "b t"] | None,
    cache: KeyValueCache | None,
    causal: bool,
) -> tuple[Bool[Tensor, "b 1 t u"] | None, bool]:
    """The mask, and whether the kernel's own causal mode is used instead.

    Right padding lies in the future of every valid position, so a causal pass needs no mask.
    """
    if cache is not None and index is not None:
        if not causal:
            raise ValueError("a cache requires causal attention")
        if len(index) == 1 and index.shape[1] == 1:
            return None, False  # one row, one new position: it sees all positions
        slots = torch.arange(cache.reach, device=x.device)
        return (slots <= index[:, :, None])[:, None], False
    if causal:
        return None, True
    if len(lengths) == 1 and int(lengths) == x.shape[1]:
        return None, False
    valid = torch.arange(x.shape[1], device=x.device) < lengths[:, None]  # (b, u)
    return valid[:, None, None].expand(-1, -1, x.shape[1], -1), False


def rotation_of(
    config: LlamaConfig, positions: Int[Tensor, "b t"], dtype: torch.dtype
) -> tuple[Float[Tensor, "b t 1 c"], Float[Tensor, "b t 1 c"]]:
    """Cosines and sines for these positions, stretched as the config says."""
    return _rotation(positions, frequencies_of(config, positions.device), dtype)


def frequencies_of(config: LlamaConfig, device: torch.device) -> Float[Tensor, " c_half"]:
    """Radians between two positions, for each pair of channels."""
    size, theta, factor = config.d_model // config.heads, config.rope_theta, config.rope_factor
    if config.rope_scaling == "ntk":  # the slowest pair turns `factor` times slower
        return _frequencies(size, theta * factor ** (size / (size - 2)), device)
    return _frequencies(size, theta, device) / factor


def _rotation(
    positions: Int[Tensor, "b t"], frequencies: Float[Tensor, " c_half"], dtype: torch.dtype
) -> tuple[Float[Tensor, "b t 1 c"], Float[Tensor, "b t 1 c"]]:
    """Cosines and sines of RoPE (Su et al. 2021, https://arxiv.org/abs/2104.09864), half-split."""
    angles = positions[..., None].float() * frequencies  # (b, t, c/2)
    angles = torch.cat([angles, angles], dim=-1)[:, :, None]
    return angles.cos().to(dtype), angles.sin().to(dtype)


def _frequencies(size: int, theta: float, device: torch.device) -> Float[Tensor, " c_half"]:
    exponent = torch.arange(0, size, 2, device=device).float() / size
    return theta**-exponent


def _rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = rotation
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin
