"""RetNet (Sun et al. 2023, https://arxiv.org/abs/2307.08621) in plain torch.

Modules have the names of torchscale's `RetNetDecoder`, so weights can be exchanged both ways.
"""

from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu, rms_norm, silu
from torch.utils.checkpoint import checkpoint

from vall_e.plugin import Cache, ConfigError
from vall_e_backbone_retnet.options import RetNetConfig
from vall_e_backbone_retnet.retention import advance, chunkwise, log_decays, parallel
from vall_e_backbones.experts import Experts


class RetNetCache:
    """The state of each head of each layer, (layer, b, h, c, e)."""

    def __init__(self, states: Float[Tensor, "l b h c e"], max_length: int) -> None:
        self.states = states
        self.max_length = max_length
        self.lengths = torch.zeros(states.shape[1], dtype=torch.long, device=states.device)

    def select(self, rows: Int[Tensor, " r"]) -> "RetNetCache":
        chosen = RetNetCache(self.states[:, rows], self.max_length)
        chosen.lengths = self.lengths[rows]
        return chosen

    def check_room(self, lengths: Int[Tensor, " b"]) -> None:
        end = int((self.lengths + lengths).max())
        if end > self.max_length:
            raise ValueError(f"the cache holds {self.max_length} positions, {end} were requested")


class RetNet(nn.Module):
    """A stack of retention and gated feed-forward layers, and a final norm."""

    bidirectional = False
    caches = True
    lora_targets = ("layers.*.retention.*_proj", "layers.*.ffn.*")

    def __init__(self, config: RetNetConfig) -> None:
        super().__init__()
        self.config = config
        self.d_model = config.d_model
        self.layers = nn.ModuleList(RetNetLayer(config) for _ in range(config.layers))
        self.layer_norm = nn.RMSNorm(config.d_model, eps=config.norm_eps)

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        *,
        lengths: Int[Tensor, " b"],
        positions: Int[Tensor, "b t"],
        causal: bool = True,
        cache: Cache | None = None,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        require_causal(causal)
        turn = _turns(positions, self.d_model // self.config.heads)
        valid = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
        uneven = x.new_zeros(())
        if cache is not None:
            x, uneven = self._continue(x, turn, valid, lengths, cache)
        else:
            for layer in self.layers:
                run = partial(layer, turn=turn, valid=valid)
                if self.config.checkpointing and self.training:
                    x, more = checkpoint(run, x, use_reentrant=False)
                else:
                    x, more = run(x)
                uneven = uneven + more
        return self.layer_norm(x), uneven * (self.config.router_loss / len(self.layers))

    def new_cache(self, batch: int, max_length: int) -> RetNetCache:
        heads, width = self.config.heads, self.d_model // self.config.heads
        shape = (len(self.layers), batch, heads, width, width * self.config.value_factor)
        zeros = torch.zeros(shape, dtype=torch.float, device=self.layer_norm.weight.device)
        return RetNetCache(zeros, max_length)

    def _continue(
        self,
        x: Float[Tensor, "b t d"],
        turn: tuple[Tensor, Tensor],
        valid: Bool[Tensor, "b t"],
        lengths: Int[Tensor, " b"],
        cache: Cache,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        if not isinstance(cache, RetNetCache):
            name = type(cache).__name__
            raise TypeError(f"retnet-hf needs a cache from its new_cache, got {name}")
        cache.check_room(lengths)
        uneven = x.new_zeros(())
        for number, layer in enumerate(self.layers):
            x, more = layer(x, turn=turn, valid=valid, cache=cache, number=number, lengths=lengths)
            uneven = uneven + more
        cache.lengths = cache.lengths + lengths
        return x, uneven


class RetNetLayer(nn.Module):
    def __init__(self, config: RetNetConfig) -> None:
        super().__init__()
        self.retention_layer_norm = nn.RMSNorm(config.d_model, eps=config.norm_eps)
        self.retention = Retention(config)
        self.final_layer_norm = nn.RMSNorm(config.d_model, eps=config.norm_eps)
        make = partial(FeedForward, config)
        self.ffn = (
            Experts(config.d_model, config.experts, config.experts_per_token, make)
            if config.experts > 1
            else make()
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        *,
        turn: tuple[Tensor, Tensor],
        valid: Bool[Tensor, "b t"],
        cache: RetNetCache | None = None,
        number: int = 0,
        lengths: Int[Tensor, " b"] | None = None,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        """The output, and how unevenly the router distributed positions (0 without a router)."""
        heard = self.retention(self.retention_layer_norm(x), turn, cache, number, lengths)
        x = x + self.dropout(heard)
        inner = self.final_layer_norm(x)
        if isinstance(self.ffn, Experts):
            added, uneven = self.ffn(inner, valid)
        else:
            added, uneven = self.ffn(inner), x.new_zeros(())
        return x + self.dropout(added), uneven


class Retention(nn.Module):
    """Multi-scale retention: each head is normalized by itself, and the output is gated."""

    def __init__(self, config: RetNetConfig) -> None:
        super().__init__()
        width, values = config.d_model, config.d_model * config.value_factor
        self.heads, self.chunk, self.eps = config.heads, config.chunk, config.norm_eps
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, values, bias=False)
        self.g_proj = nn.Linear(width, values, bias=False)
        self.out_proj = nn.Linear(values, width, bias=False)
        self.register_buffer("logs", log_decays(config.heads), persistent=False)
        self.logs: Tensor
        for each in (self.q_proj, self.k_proj, self.v_proj, self.g_proj):
            nn.init.xavier_uniform_(each.weight, gain=2**-2.5)
        nn.init.xavier_uniform_(self.out_proj.weight, gain=2**-1)

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        turn: tuple[Tensor, Tensor],
        cache: RetNetCache | None,
        number: int,
        lengths: Int[Tensor, " b"] | None,
    ) -> Float[Tensor, "b t d"]:
        q, k, v = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (b, h, t, c or e)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        q = _turned(q, turn).to(v.dtype)
        k = _turned(k * k.shape[-1] ** -0.5, turn).to(v.dtype)
        heard = self._retain(q, k, v, cache, number, lengths)
        normed = rms_norm(heard.float(), heard.shape[-1:], eps=self.eps).to(x.dtype)
        out: Tensor = self.out_proj(silu(self.g_proj(x)) * normed.transpose(1, 2).flatten(2))
        return out

    def _retain(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        cache: RetNetCache | None,
        number: int,
        lengths: Int[Tensor, " b"] | None,
    ) -> Float[Tensor, "b h t e"]:
        logs = self.logs.float()
        if cache is not None and lengths is not None:
            state = cache.states[number]
            out, cache.states[number] = advance(q, k, v, logs, state, cache.lengths, lengths)
            return out
        if self.chunk and q.shape[2] > self.chunk:
            return chunkwise(q, k, v, logs, self.chunk)
        return parallel(q, k, v, logs)


class FeedForward(nn.Module):
    """fc2(act(fc1(x)) * gate(x)) (Shazeer 2020, https://arxiv.org/abs/2002.05202)."""

    def __init__(self, config: RetNetConfig) -> None:
        super().__init__()
        self.activation = gelu if config.activation == "gelu" else silu
        self.fc1 = nn.Linear(config.d_model, config.inner_width, bias=False)
        self.fc2 = nn.Linear(config.inner_width, config.d_model, bias=False)
        self.gate = nn.Linear(config.d_model, config.inner_width, bias=False)

    def forward(self, x: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
        out: Tensor = self.fc2(self.activation(self.fc1(x)) * self.gate(x))
        return out


def require_causal(causal: bool) -> None:
    """Refuse bidirectional use."""
    if not causal:
        raise ConfigError(
            "retnet: retention is causal only",
            hint="set model.nar_attention: causal, or use another backbone",
        )


def _turns(
    positions: Int[Tensor, "b t"], size: int
) -> tuple[Float[Tensor, "b 1 t c"], Float[Tensor, "b 1 t c"]]:
    """Sines and cosines of the rotation angles, in fp32."""
    speeds = 10_000.0 ** -torch.linspace(0, 1, size // 2, device=positions.device)
    angles = positions[:, None, :, None].float() * speeds.repeat_interleave(2)
    return angles.sin(), angles.cos()


def _turned(x: Float[Tensor, "b h t c"], turn: tuple[Tensor, Tensor]) -> Float[Tensor, "b h t c"]:
    sines, cosines = turn
    quarter = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).flatten(-2)
    return x * cosines + quarter * sines
