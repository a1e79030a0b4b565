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
    """Decodes codes as they come. All outputs joined up equal `Codec.decode` of the whole.

    Sound is on the device of the codes.
    """

    def push(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Take `f` more frames; gives the samples that are final by now (possibly none)."""
        ...

    def flush(self) -> Float[Tensor, "b 1 s"]:
        """The rest; (1, 1, 0) if nothing was pushed. The stream cannot be used afterwards."""
        ...


@runtime_checkable
class Codec(Protocol):
    """Turns a waveform into residual codes and back. Configured once; encoding changes no state.

    `identity` names codec and weights (say `embedded-16k:3f2a9c01`): codes of another identity
    are refused. `frame_rate` is frames a second, each of a whole number of samples
    (`frame_samples`); `causal` is True if `stream()` gives audio before the end.

    A codec with weights is a `torch.nn.Module`: `to(device)` moves it. What comes out is on the
    device of what went in, and a codec without weights runs there.
    """

    identity: str
    sample_rate: int
    frame_rate: float
    levels: int
    codebook_size: int
    causal: bool

    def encode(self, audio: Float[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """`f` is `frame_count(s, ...)`: a last frame that is only begun counts as a whole one.

        Samples a little beyond [-1, 1] are clipped, with a warning. What cannot be sound is an
        `AudioError`: integers, samples that are no numbers, or beyond +-4.
        """
        ...

    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """From the first n <= k levels; `s` is f * `frame_samples(...)`."""
        ...

    def stream(self) -> CodecStream: ...


@runtime_checkable
class Listener(Protocol):
    """Encodes sound as it comes. All outputs joined up equal `Codec.encode` of the whole.

    Codes are on the device of the sound.
    """

    def push(self, audio: Float[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """Take `s` more samples; gives the codes that are final by now (possibly none)."""
        ...

    def flush(self) -> Int[Tensor, "b k f"]:
        """The rest; (1, k, 0) if nothing was pushed. The listener cannot be used afterwards."""
        ...


@runtime_checkable
class Listening(Protocol):
    """What a `Codec` has besides if it encodes sound as it comes: of any length, without seams."""

    def listen(self) -> Listener: ...


@runtime_checkable
class Vectored(Protocol):
    """What a `Codec` has besides if its codes stand for vectors that are summed over the levels."""

    def code_vectors(self) -> Float[Tensor, "k v c"]:
        """What each code of each level adds to the vector of its frame, before it is decoded."""
        ...


@runtime_checkable
class Local(Protocol):
    """What a `Codec` has besides if its view is limited: long recordings are cut without seams.

    In frames on either side: `encode_context` of sound that the codes of a frame depend on, and
    `decode_context` of codes that its sound depends on; None: on all that came before.
    """

    encode_context: int | None
    decode_context: int | None


@runtime_checkable
class Blockwise(Protocol):
    """What a `Codec` has besides if its files hold blocks that overlap, of several channels.

    A block is `block_samples` long, the last may be shorter; one begins each `block_step` samples.
    What `encode` and `decode` make is for models: mono, block after block, without loudness.
    """

    channels: int
    block_samples: int
    block_step: int

    def encode_block(self, audio: Float[Tensor, "c s"]) -> tuple[Int[Tensor, "k f"], float]:
        """Its codes, and how loud it is."""
        ...

    def decode_block(self, codes: Int[Tensor, "n f"], loudness: float) -> Float[Tensor, "c s"]: ...


def frame_samples(*, sample_rate: int, frame_rate: float) -> Fraction:
    """Samples of one frame, exactly; a codec's is a whole number.

    A rate such as 16000 / 384 is no float: what is meant is the fraction that is nearest to it.
    """
    return sample_rate / Fraction(frame_rate).limit_denominator(sample_rate)


def frame_count(samples: int, *, sample_rate: int, frame_rate: float) -> int:
    """ceil(samples * frame_rate / sample_rate), without rounding on the way."""
    return ceil(samples / frame_samples(sample_rate=sample_rate, frame_rate=frame_rate))
