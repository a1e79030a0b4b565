"""The network of Perth (PerthNet, implicit), and its weights from the wheel of resemble-perth.

resemble-perth itself is not imported: it needs librosa, torchaudio and a `pkg_resources` that
setuptools has dropped, and it unpickles.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from vall_e.plugin import UnavailableError, damage_as

SAMPLE_RATE = 32_000
FFT = 2048
HOP = 320
BANDS = 128
"""Bands of the spectrum that carry the mark: up to 2 kHz."""
WIDTH = 256
FLOOR_DB = -180.0
HEADROOM_DB = 15.0
AUDIBLE = 0.05
"""A frame with less than this share of the loudest frame's level carries no mark."""
SCALES = {"slow_layers": 1.25, "normal_layers": 1.0, "fast_layers": 0.75}
"""The detector looks at the audio at three speeds."""

WEIGHTS = "perth_net_250000.pth.tar"


class PerthNetwork(nn.Module):
    """Writes and finds the mark in levels of a spectrum."""

    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"layers": _layers(BANDS)})
        self.decoder = nn.ModuleDict({name: _layers(2) for name in SCALES})
        self.register_buffer("window", torch.hann_window(FFT), persistent=False)

    @torch.inference_mode()
    def mark(self, audio: Float[Tensor, " s"]) -> Float[Tensor, " s"]:
        """What the mark adds to audio of 32 kHz."""
        spectrum = self._spectrum(audio)
        levels = _levels(spectrum)
        low = levels[:BANDS]
        added = self.encoder["layers"](low[None])[0] * _audible(levels)
        factors = 10 ** (_decibels(low + added).clip(max=200) / 20)
        louder = torch.zeros_like(spectrum)
        louder[:BANDS] = torch.polar(factors, spectrum[:BANDS].angle()) - spectrum[:BANDS]
        # Below the floor a level says nothing: no mark there.
        louder[:BANDS] *= _audible(levels)
        return torch.istft(louder, FFT, HOP, window=self.window, length=len(audio))

    @torch.inference_mode()
    def confidence(self, audio: Float[Tensor, " s"]) -> float:
        """That audio of 32 kHz is marked, from 0 to 1."""
        levels = _levels(self._spectrum(audio))
        audible = _audible(levels)[None, None]
        if not audible.any():
            return 0.0
        found = torch.stack([self._means(name, levels[None], audible) for name in SCALES])
        weights = found[:, 0].softmax(0)
        return float((weights * found[:, 1]).sum().clip(0, 1))

    def _means(
        self, name: str, levels: Float[Tensor, "1 n t"], audible: Float[Tensor, "1 1 t"]
    ) -> Float[Tensor, " 2"]:
        """Attention and confidence of one speed."""
        size = int(levels.shape[-1] * SCALES[name])
        low = levels[:, :BANDS]
        if SCALES[name] != 1:
            low = functional.interpolate(low, size=size, mode="linear", align_corners=True)
        mask = functional.interpolate(audible, size=size, mode="nearest")
        means: Tensor = (self.decoder[name](low) * mask).sum(2) / mask.sum(2)
        return means[0]

    def _spectrum(self, audio: Float[Tensor, " s"]) -> Tensor:
        return torch.stft(audio, FFT, HOP, window=self.window, return_complex=True)


class _Convolution(nn.Module):
    """Named as in the file of weights."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, last: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2)
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x if self.last else functional.leaky_relu(x)


def _layers(outputs: int) -> nn.Sequential:
    return nn.Sequential(
        _Convolution(BANDS, WIDTH, 1),
        *[_Convolution(WIDTH, WIDTH, 7) for _ in range(5)],
        _Convolution(WIDTH, outputs, 1, last=True),
    )


def _levels(spectrum: Tensor) -> Float[Tensor, "n t"]:
    """Decibels, as numbers from 0 up to about 1."""
    decibels = 20 * torch.log10(spectrum.abs().clip(10 ** (FLOOR_DB / 20)))
    return (decibels - FLOOR_DB) / (HEADROOM_DB - FLOOR_DB)


def _decibels(levels: Float[Tensor, "n t"]) -> Float[Tensor, "n t"]:
    return levels * (HEADROOM_DB - FLOOR_DB) + FLOOR_DB


def _audible(levels: Float[Tensor, "n t"]) -> Float[Tensor, " t"]:
    total = levels.sum(0)
    return (total > AUDIBLE * total.max()).float()


def load_network(path: Path) -> PerthNetwork:
    """With the weights of a file. Raises `UnavailableError` if it is not one of Perth."""
    network = PerthNetwork()
    what = "does not hold the weights of Perth"
    hint = "install them again: pip install --force-reinstall --no-deps resemble-perth"
    with damage_as(UnavailableError, path, what=what, hint=hint):
        # No pickle is run: torch reads tensors only.
        found = torch.load(path, map_location="cpu", weights_only=True)["model"]
        wanted = network.state_dict().keys()
        network.load_state_dict({name: found[name] for name in wanted})
    return network.eval()


def find_weights() -> Path:
    """The file in resemble-perth. Raises `UnavailableError` if that is not installed."""
    try:
        files = metadata.files("resemble-perth") or []
    except metadata.PackageNotFoundError as exc:
        raise UnavailableError(
            "the watermark perth needs the package resemble-perth, which is not installed",
            hint="pip install resemble-perth",
        ) from exc
    for file in files:
        if file.name == WEIGHTS:
            return Path(str(file.locate()))
    raise UnavailableError(
        f"this version of resemble-perth has no {WEIGHTS}", hint="pip install resemble-perth==1.0.1"
    )
