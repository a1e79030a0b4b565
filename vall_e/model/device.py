"""Where a model runs."""

from __future__ import annotations

import torch

from vall_e.errors import UnavailableError


def find_device(name: str, *, option: str) -> torch.device:
    """The device called `name`; `auto` takes cuda if there is one, else mps, else cpu.

    Raises `UnavailableError` if this machine lacks it; `option` is what the message calls it.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as exc:  # torch without CUDA raises AssertionError
        raise UnavailableError(
            f"{option}: {name} cannot be used here: {str(exc).splitlines()[0]}",
            hint=f"set {option} to auto or cpu",
        ) from exc
    return device
