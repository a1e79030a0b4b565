"""CAM++, a speaker network (Wang et al. 2023, https://arxiv.org/abs/2303.00332).

Written from the paper. Names of the parts are those in the weights of 3D-Speaker (Apache-2.0), so
that a file of them is read as it is.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, relu

from vall_e_judges.kaldi_bands import BANDS

CHANNELS, GROWTH, NARROW, VECTOR = 128, 32, 128, 192
"""Of the entrance, what a dense layer adds, its bottleneck, and the speaker's vector."""
BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Layers and dilation of each dense block."""
SEGMENT = 100
"""Frames that share one context, beside the whole's."""
PLANES = 32


class CamPlusPlus(nn.Module):
    """From bands over time to a vector; 7.2 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.head = Front()
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        parts["tdnn"] = Entrance(PLANES * BANDS // 8)
        width = CHANNELS
        for number, (layers, dilation) in enumerate(BLOCKS, 1):
            parts[f"block{number}"] = DenseBlock(width, layers, dilation)
            width += layers * GROWTH
            parts[f"transit{number}"] = Transition(width, width // 2)
            width //= 2
        parts["out_nonlinear"] = normed(width)
        parts["stats"] = Statistics()
        parts["dense"] = Projection(2 * width)
        self.xvector = nn.Sequential(parts)

    def forward(self, bands: Float[Tensor, "b f m"]) -> Float[Tensor, "b 192"]:
        found: Tensor = self.xvector(self.head(bands.transpose(1, 2)))
        return found


def normed(channels: int, *, affine: bool = True) -> nn.Sequential:
    """Batch norm, and ReLU where it is affine."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    parts["batchnorm"] = nn.BatchNorm1d(channels, affine=affine)
    if affine:
        parts["relu"] = nn.ReLU()
    return nn.Sequential(parts)


class Front(nn.Module):
    """Residual convolutions over bands and frames; an eighth of the bands is left."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, PLANES, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(PLANES)
        self.layer1 = nn.Sequential(Residual(2), Residual(1))
        self.layer2 = nn.Sequential(Residual(2), Residual(1))
        self.conv2 = nn.Conv2d(PLANES, PLANES, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(PLANES)

    def forward(self, bands: Float[Tensor, "b m f"]) -> Float[Tensor, "b c f"]:
        image = relu(self.bn1(self.conv1(bands[:, None])))
        image = relu(self.bn2(self.conv2(self.layer2(self.layer1(image)))))
        return image.flatten(1, 2)


class Residual(nn.Module):
    def __init__(self, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(PLANES, PLANES, 3, stride=(stride, 1), padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(PLANES)
        self.conv2 = nn.Conv2d(PLANES, PLANES, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(PLANES)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(PLANES, PLANES, 1, stride=(stride, 1), bias=False), nn.BatchNorm2d(PLANES)
            )

    def forward(self, image: Float[Tensor, "b c m f"]) -> Float[Tensor, "b c n f"]:
        inner = self.bn2(self.conv2(relu(self.bn1(self.conv1(image)))))
        return relu(inner + self.shortcut(image))


class Entrance(nn.Module):
    """Halves the number of frames."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, CHANNELS, 5, stride=2, padding=2, bias=False)
        self.nonlinear = normed(CHANNELS)

    def forward(self, x: Float[Tensor, "b c f"]) -> Float[Tensor, "b d g"]:
        found: Tensor = self.nonlinear(self.linear(x))
        return found


class DenseBlock(nn.ModuleDict):
    """Each layer sees what all before it gave."""

    def __init__(self, channels: int, layers: int, dilation: int) -> None:
        super().__init__(
            {f"tdnnd{i + 1}": DenseLayer(channels + i * GROWTH, dilation) for i in range(layers)}
        )

    def forward(self, x: Float[Tensor, "b c f"]) -> Float[Tensor, "b d f"]:
        for layer in self.values():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class DenseLayer(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = normed(channels)
        self.linear1 = nn.Conv1d(channels, NARROW, 1, bias=False)
        self.nonlinear2 = normed(NARROW)
        self.cam_layer = ContextMask(dilation)

    def forward(self, x: Float[Tensor, "b c f"]) -> Float[Tensor, "b g f"]:
        found: Tensor = self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))
        return found


class ContextMask(nn.Module):
    """A convolution whose channels are weighted by what surrounds them."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(
            NARROW, GROWTH, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.linear1 = nn.Conv1d(NARROW, NARROW // 2, 1)
        self.linear2 = nn.Conv1d(NARROW // 2, GROWTH, 1)

    def forward(self, x: Float[Tensor, "b c f"]) -> Float[Tensor, "b g f"]:
        context = relu(self.linear1(x.mean(-1, keepdim=True) + _segments(x)))
        local: Tensor = self.linear_local(x)
        return local * torch.sigmoid(self.linear2(context))


def _segments(x: Float[Tensor, "b c f"]) -> Float[Tensor, "b c f"]:
    """The mean of the segment that each frame is in."""
    means = avg_pool1d(x, SEGMENT, stride=SEGMENT, ceil_mode=True)
    return means.repeat_interleave(SEGMENT, dim=2)[:, :, : x.shape[2]]


class Transition(nn.Module):
    def __init__(self, channels: int, narrower: int) -> None:
        super().__init__()
        self.nonlinear = normed(channels)
        self.linear = nn.Conv1d(channels, narrower, 1, bias=False)

    def forward(self, x: Float[Tensor, "b c f"]) -> Float[Tensor, "b d f"]:
        found: Tensor = self.linear(self.nonlinear(x))
        return found


class Statistics(nn.Module):
    """Mean and standard deviation over time."""

    def forward(self, x: Float[Tensor, "b c f"]) -> Float[Tensor, "b d"]:
        return torch.cat([x.mean(-1), x.std(-1)], dim=1)


class Projection(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, VECTOR, 1, bias=False)
        self.nonlinear = normed(VECTOR, affine=False)

    def forward(self, x: Float[Tensor, "b c"]) -> Float[Tensor, "b v"]:
        found: Tensor = self.nonlinear(self.linear(x[:, :, None])[:, :, 0])
        return found
