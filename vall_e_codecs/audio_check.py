"""Checks of the waveforms that codecs get."""

import logging

from jaxtyping import Float, Num
from torch import Tensor

from vall_e.plugin import AudioError

log = logging.getLogger(__name__)
LOUDEST = 4.0
"""Float recordings go a little over full scale; beyond this, they are in another scale."""


def checked(audio: Num[Tensor, "*b c s"]) -> Float[Tensor, "*b c s"]:
    """The audio, if it is made of finite floats; clipped to [-1, 1], with a warning."""
    if not audio.is_floating_point():
        raise AudioError(
            f"samples must be floats in [-1, 1], found {audio.dtype}",
            hint="divide 16-bit samples by 32768",
        )
    if not audio.numel():
        return audio
    peak = audio.abs().amax().item()
    if not peak <= LOUDEST:  # NaN compares as False
        raise AudioError(
            f"samples must lie in [-1, 1], found {peak:.4g}",
            hint="divide them by the full scale of their format; NaN or infinite samples "
            "come from a damaged file, or from a division by zero when they were made",
        )
    if peak > 1:
        log.warning("samples up to %.3g are clipped to [-1, 1]", peak)
        return audio.clamp(-1, 1)
    return audio
