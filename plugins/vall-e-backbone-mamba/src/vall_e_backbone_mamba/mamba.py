"""Mamba as a backbone: layers of a norm and a mixer, and a final norm."""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vall_e.plugin import Cache, ConfigError
from vall_e_backbone_mamba.mixers import Mamba2Mixer, MambaMixer, Memory
from vall_e_backbone_mamba.options import Mamba2Config, MambaConfig

StateSpaceMixer = MambaMixer | Mamba2Mixer


def mamba(config: MambaConfig) -> "Mamba":
    """A stack of Mamba layers."""
    return Mamba(config, lambda: MambaMixer(config))


def mamba2(config: Mamba2Config) -> "Mamba":
    """A stack of Mamba-2 layers."""
    return Mamba(config, lambda: Mamba2Mixer(config))


class MambaCache:
    """The state of each layer, for each row."""

    def __init__(self, memories: list[Memory], max_length: int, lengths: Tensor) -> None:
        self.memories = memories
        self.max_length = max_length
        self.lengths = lengths

    def select(self, rows: Int[Tensor, " r"]) -> "MambaCache":
        chosen = [Memory(m.window[rows], m.state[rows]) for m in self.memories]
        return MambaCache(chosen, self.max_length, self.lengths[rows])

    def check_room(self, lengths: Int[Tensor, " b"]) -> None:
        end = int((self.lengths + lengths).max())
        if end > self.max_length:
            raise ValueError(f"the cache holds {self.max_length} positions, {end} were requested")


class Mamba(nn.Module):
    """Causal only; positions are implied by the order."""

    bidirectional = False
    caches = True
    lora_targets = ("layers.*.mixer.in_proj", "layers.*.mixer.out_proj")

    def __init__(
        self, config: MambaConfig | Mamba2Config, make: Callable[[], StateSpaceMixer]
    ) -> None:
        super().__init__()
        self.config = config
        self.d_model = config.d_model
        self.layers: Iterable[MambaLayer] = nn.ModuleList(  # type: ignore[assignment]  # of these
            MambaLayer(config, make()) for _ in range(config.layers)
        )
        self.norm_f = nn.RMSNorm(config.d_model, eps=config.norm_eps)

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
                "mamba: a state space is causal only",
                hint="set model.nar_attention: causal, or use another backbone",
            )
        valid = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
        memories = self._memories(cache, lengths)
        for layer, memory in zip(self.layers, memories, strict=True):
            if self.config.checkpointing and self.training and memory is None:
                x = checkpoint(layer, x, None, valid, use_reentrant=False)
            else:
                x = layer(x, memory, valid)
        if cache is not None:
            cache.lengths = cache.lengths + lengths
        return self.norm_f(x), x.new_zeros(())

    def new_cache(self, batch: int, max_length: int) -> MambaCache:
        device = self.norm_f.weight.device
        lengths = torch.zeros(batch, dtype=torch.long, device=device)
        return MambaCache([layer.memory(batch) for layer in self.layers], max_length, lengths)

    def _memories(
        self, cache: Cache | None, lengths: Int[Tensor, " b"]
    ) -> list[Memory] | list[None]:
        if cache is None:
            return [None for _ in self.layers]
        if not isinstance(cache, MambaCache):
            raise TypeError(f"mamba needs a cache from its new_cache, got {type(cache).__name__}")
        cache.check_room(lengths)
        return cache.memories


class MambaLayer(nn.Module):
    def __init__(self, config: MambaConfig | Mamba2Config, mixer: StateSpaceMixer) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(config.d_model, eps=config.norm_eps)
        self.mixer = mixer

    def forward(
        self, x: Float[Tensor, "b t d"], memory: Memory | None, valid: Bool[Tensor, "b t"]
    ) -> Float[Tensor, "b t d"]:
        out: Tensor = x + self.mixer(self.norm(x), memory, valid)
        return out

    def memory(self, batch: int) -> Memory:
        """The initial state. In fp32, since thousands of terms are added to a state."""
        mixer = self.mixer
        width = mixer.conv1d.kernel_size[0] - 1
        zeros = self.norm.weight.new_zeros
        window = zeros(batch, mixer.conv_channels, width, dtype=torch.float)
        return Memory(window, zeros(batch, *mixer.state_shape, dtype=torch.float))
