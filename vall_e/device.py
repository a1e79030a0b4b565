"""Devices for models and codecs."""

from __future__ import annotations

import torch

from vall_e.errors import UnavailableError
from vall_e.interfaces.codec import Codec


def find_device(name: str, *, option: str) -> torch.device:
    """The device called `name`; `auto` selects cuda if available, else mps, else cpu.

    Raises `UnavailableError` if this machine lacks it; `option` is its name in the message.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as exc:
        raise UnavailableError(
            f"{option}: there is no device {name!r}",
            hint=f"set {option} to auto, cpu, cuda, cuda:1 or mps",
        ) from exc
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as exc:  # torch without CUDA raises AssertionError
        raise UnavailableError(
            f"{option}: {name} cannot be used here: {str(exc).splitlines()[0]}",
            hint=f"set {option} to auto or cpu",
        ) from exc
    return device


def place_codec(codec: Codec, device: torch.device) -> Codec:
    """Move a codec that has weights; one without works on the device of its inputs.

    With mps it is not moved: no codec has been tested there, and their spectra are complex.
    """
    if isinstance(codec, torch.nn.Module) and device.type != "mps":
        codec.to(device)
    return codec


def device_of(codec: Codec) -> torch.device:
    """The device for the codec's inputs."""
    if isinstance(codec, torch.nn.Module):
        for tensor in (*codec.parameters(), *codec.buffers()):
            return tensor.device
    return torch.device("cpu")
