"""What every codec here asks of a waveform."""

from jaxtyping import Float, Num
from torch import Tensor

from vall_e.plugin import AudioError


def checked(audio: Num[Tensor, "b 1 s"]) -> Float[Tensor, "b 1 s"]:
    """The audio, if it is made of finite floats."""
    if not audio.is_floating_point():
        raise AudioError(
            f"samples must be floats in [-1, 1], found {audio.dtype}",
            hint="divide 16-bit samples by 32768",
        )
    if not bool(audio.isfinite().all()):
        raise AudioError(
            "the audio holds samples that are not finite numbers",
            hint="look for a damaged file, or a division by zero in what made it",
        )
    return audio
