"""What the core asks of a codec. Torch-free; sizes: `vall_e.interfaces`."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor


@runtime_checkable
class CodecStream(Protocol):
    """Decodes codes as they arrive. The concatenated outputs equal `Codec.decode` of the whole.

    The audio is on the device of the codes.
    """

    def push(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Take `f` more frames; return the samples that are final by now (possibly none)."""
        ...

    def flush(self) -> Float[Tensor, "b 1 s"]:
        """The rest; (1, 1, 0) if nothing was pushed. The stream cannot be used afterwards."""
        ...


@runtime_checkable
class Codec(Protocol):
    """Turns a waveform into residual codes and back. Configured once; encoding changes no state.

    `identity` names codec and weights (say `embedded-16k:3f2a9c01`): codes of another identity
    are refused. `frame_rate` is frames per second; each frame is a whole number of samples
    (`frame_samples`). `causal` is True if `stream()` returns audio before the end.

    A codec with weights is a `torch.nn.Module`: `to(device)` moves it. Output is on the device of
    the input, and a codec without weights computes there.
    """

    identity: str
    sample_rate: int
    frame_rate: float
    levels: int
    codebook_size: int
    causal: bool

    def encode(self, audio: Float[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """`f` is `frame_count(s, ...)`: an incomplete last frame counts as a whole one.

        Samples a little beyond [-1, 1] are clipped, with a warning. Input that is not audio is an
        `AudioError`: integers, NaN or infinite samples, or samples beyond +-4.
        """
        ...

    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """From the first n <= k levels; `s` is f * `frame_samples(...)`."""
        ...

    def stream(self) -> CodecStream: ...


@runtime_checkable
class Listener(Protocol):
    """Encodes audio as it arrives. The concatenated outputs equal `Codec.encode` of the whole.

    Codes are on the device of the audio.
    """

    def push(self, audio: Float[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """Take `s` more samples; return the codes that are final by now (possibly none)."""
        ...

    def flush(self) -> Int[Tensor, "b k f"]:
        """The rest; (1, k, 0) if nothing was pushed. The listener cannot be used afterwards."""
        ...


@runtime_checkable
class Listening(Protocol):
    """Extra method of a `Codec` that can encode a stream of any length, without seams."""

    def listen(self) -> Listener: ...


@runtime_checkable
class Vectored(Protocol):
    """Extra method of a `Codec` whose codes are vectors summed over the levels."""

    def code_vectors(self) -> Float[Tensor, "k v c"]:
        """What each code of each level adds to the vector of its frame, before it is decoded."""
        ...


@runtime_checkable
class Local(Protocol):
    """Extra attributes of a `Codec` with limited context: long recordings are cut without seams.

    In frames on either side: `encode_context` is how much audio the codes of a frame depend on,
    `decode_context` how many codes its audio depends on; None: everything before it.
    """

    encode_context: int | None
    decode_context: int | None


@runtime_checkable
class Blockwise(Protocol):
    """Extra methods of a `Codec` whose files hold overlapping blocks, of several channels.

    A block is `block_samples` long, the last may be shorter; one begins each `block_step` samples.
    `encode` and `decode` serve models: mono, block after block, without loudness.
    """

    channels: int
    block_samples: int
    block_step: int

    def encode_block(self, audio: Float[Tensor, "c s"]) -> tuple[Int[Tensor, "k f"], float]:
        """The codes of the block, and its loudness."""
        ...

    def decode_block(self, codes: Int[Tensor, "n f"], loudness: float) -> Float[Tensor, "c s"]: ...


def frame_samples(*, sample_rate: int, frame_rate: float) -> Fraction:
    """Samples per frame, exactly; for a codec this is a whole number.

    A rate such as 16000 / 384 is not exact as a float: the nearest simple fraction is used.
    """
    return sample_rate / Fraction(frame_rate).limit_denominator(sample_rate)


def frame_count(samples: int, *, sample_rate: int, frame_rate: float) -> int:
    """ceil(samples * frame_rate / sample_rate), without rounding on the way."""
    return ceil(samples / frame_samples(sample_rate=sample_rate, frame_rate=frame_rate))
