"""How often decoding looks at the tokens that it has drawn."""

from __future__ import annotations

import torch

ON_CUDA = 8
"""A row that has ended goes on for half as many frames on average before that is seen."""


def frames_between_looks(option: int, device: torch.device) -> int:
    """What the option says; by itself (0) each frame on a CPU, which has nothing to wait for."""
    return option or (ON_CUDA if device.type == "cuda" else 1)
