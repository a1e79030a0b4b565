"""What mixes positions in a layer of Mamba, and of Mamba-2.

Gu and Dao 2023 (https://arxiv.org/abs/2312.00752), Dao and Gu 2024
(https://arxiv.org/abs/2405.21060). Tensors have the names of mamba-ssm and transformers.
"""

from math import log

import torch
from attrs import define
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import conv1d, rms_norm, silu, softplus

from vall_e_backbone_mamba.kernels import find_selective, find_structured
from vall_e_backbone_mamba.options import Mamba2Config, MambaConfig
from vall_e_backbone_mamba.scans import selective, structured

STEPS = (1e-3, 0.1)
"""Range of the step sizes at the start of training."""


@define(eq=False, slots=False)
class Memory:
    """State of one layer for each row: the last inputs of its convolution, and its scan state."""

    window: Float[Tensor, "b e w"]
    state: Tensor


class ShortConvolution(nn.Conv1d):
    """Each channel over its last positions."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__(channels, channels, size, groups=channels)

    def along(
        self, x: Float[Tensor, "b t e"], memory: Memory | None, lengths: Int[Tensor, " b"]
    ) -> Float[Tensor, "b t e"]:
        """Continue after `memory`, which then holds the end of each row of `x`."""
        rows, channels = len(x), x.shape[2]
        width = self.kernel_size[0] - 1
        before = memory.window.to(x.dtype) if memory else x.new_zeros(rows, channels, width)
        whole = torch.cat([before, x.transpose(1, 2)], dim=2)
        if memory:
            index = lengths[:, None] + torch.arange(width, device=x.device)
            index = index[:, None].expand(-1, channels, -1)
            memory.window = whole.gather(2, index).to(memory.window.dtype)
        out = conv1d(whole, self.weight, self.bias, groups=self.groups)
        return silu(out).transpose(1, 2)


class MambaMixer(nn.Module):
    """Every channel has its own step size and state."""

    def __init__(self, config: MambaConfig) -> None:
        super().__init__()
        inner, state = config.inner, config.state
        self.splits = [config.rank, state, state]
        self.scan = find_selective(config.scan)
        self.conv_channels, self.state_shape = inner, (inner, state)
        self.in_proj = nn.Linear(config.d_model, 2 * inner, bias=False)
        self.conv1d = ShortConvolution(inner, config.conv)
        self.x_proj = nn.Linear(inner, sum(self.splits), bias=False)
        self.dt_proj = nn.Linear(config.rank, inner)
        self.A_log = nn.Parameter(torch.arange(1.0, state + 1).log().repeat(inner, 1))
        # Weight decay would pull all rates towards 1; excluded as in mamba-ssm.
        setattr(self.A_log, "no_weight_decay", True)  # noqa: B010  torch knows no such attribute
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, config.d_model, bias=False)
        nn.init.uniform_(self.dt_proj.weight, -(config.rank**-0.5), config.rank**-0.5)
        self.dt_proj.bias.data.copy_(step_bias(inner))

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        memory: Memory | None,
        valid: Bool[Tensor, "b t"],
    ) -> Float[Tensor, "b t d"]:
        inner, gate = self.in_proj(x).chunk(2, dim=-1)
        inner = self.conv1d.along(inner, memory, valid.sum(1))
        rank, b, c = torch.split(self.x_proj(inner), self.splits, dim=-1)
        dt = softplus(self.dt_proj(rank).float()) * valid[..., None]
        a = -self.A_log.float().exp()
        if memory:
            y, memory.state = selective(inner, dt, a, b, c, memory.state)
        else:
            y = self.scan(inner, dt, a, b, c)
        y = y + self.D * inner
        out: Tensor = self.out_proj((y * silu(gate)).to(x.dtype))
        return out


class Mamba2Mixer(nn.Module):
    """Channels of a head share a step size; heads of a group share input and output vectors."""

    def __init__(self, config: Mamba2Config) -> None:
        super().__init__()
        inner, vectors = config.inner, config.groups * config.state
        self.head_size, self.groups, self.eps = config.head_size, config.groups, config.norm_eps
        self.scan = find_structured(config.scan)
        self.conv_channels = inner + 2 * vectors
        self.state_shape = (config.heads, config.head_size, config.state)
        self.splits = [inner, self.conv_channels, config.heads]
        self.vectors = [inner, vectors, vectors]
        self.in_proj = nn.Linear(config.d_model, sum(self.splits), bias=False)
        self.conv1d = ShortConvolution(self.conv_channels, config.conv)
        self.dt_bias = nn.Parameter(step_bias(config.heads))
        self.A_log = nn.Parameter(torch.empty(config.heads).uniform_(1, 16).log())
        self.D = nn.Parameter(torch.ones(config.heads))
        self.norm = nn.RMSNorm(inner, eps=config.norm_eps)
        self.out_proj = nn.Linear(inner, config.d_model, bias=False)

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        memory: Memory | None,
        valid: Bool[Tensor, "b t"],
    ) -> Float[Tensor, "b t d"]:
        gate, inner, dt = torch.split(self.in_proj(x), self.splits, dim=-1)
        inner = self.conv1d.along(inner, memory, valid.sum(1))
        value, b, c = torch.split(inner, self.vectors, dim=-1)
        value = value.reshape(*x.shape[:2], -1, self.head_size)
        b, c = (each.reshape(*x.shape[:2], self.groups, -1) for each in (b, c))
        dt = softplus(dt.float() + self.dt_bias) * valid[..., None]
        a = -self.A_log.float().exp()
        if memory:
            y, memory.state = structured(value, dt, a, b, c, memory.state)
        else:
            y = self.scan(value, dt, a, b, c)
        y = (y + self.D[:, None] * value).flatten(2)
        gated: Tensor = y * silu(gate.float())
        grouped = gated.view(*gated.shape[:2], self.groups, -1)
        normed = rms_norm(grouped, grouped.shape[-1:], eps=self.eps).flatten(2)
        normed = normed * self.norm.weight
        out: Tensor = self.out_proj(normed.to(x.dtype))
        return out


def step_bias(channels: int) -> Float[Tensor, " channels"]:
    """Values whose softplus gives step sizes that are evenly spread on a logarithmic scale."""
    low, high = STEPS
    steps = torch.exp(torch.rand(channels) * (log(high) - log(low)) + log(low))
    return steps + torch.log(-torch.expm1(-steps))
