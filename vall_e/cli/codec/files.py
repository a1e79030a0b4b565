"""Files of codes of ours and of e-c-k-e-r/vall-e, as `vall-e codec` reads and writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from jaxtyping import Float32

    from vall_e.audio.codes import Codes
    from vall_e.audio.ecker_codes import EckerCodes
    from vall_e.codec.long_audio import EncodedAudio
    from vall_e.interfaces.codec import Codec

    Pieces = Iterator[Float32[np.ndarray, "*c s"]]

CODES = ".codes.safetensors"
ECKER_SUFFIXES = (".enc", ".dac", ".dec", ".nem")
"""Those of `vall_e.audio.ecker_codes`, which is not imported for `--help`."""
CODES_IN = f"{CODES}, {', '.join(ECKER_SUFFIXES)}"


def is_ecker(path: Path) -> bool:
    return path.suffix.lower() in ECKER_SUFFIXES


def require_ending(output: Path) -> None:
    """Only our own format: files of e-c-k-e-r/vall-e need the facts of a recording."""
    if not output.name.endswith(CODES):
        raise DataError(
            f"{output} does not end in {CODES}", hint=f"name it {output.with_suffix(CODES)}"
        )


def codes_of(source: Path, codec: Codec) -> Codes:
    """The codes in a file of any of the formats; an error if they are from another codec."""
    from vall_e.audio.codes import Codes, holds_codes

    if is_ecker(source):
        return _ecker(source).of(codec, source)
    if not holds_codes(source):
        raise DataError(
            f"{source} contains no codes", hint="give a file written by `vall-e codec encode`"
        )
    return Codes.load(source, codec=codec.identity)


def save(encoded: EncodedAudio, source: Path, target: Path) -> None:
    """Write in the format given by the target's suffix; `source` is the recording."""
    from vall_e.audio.clip import Clip
    from vall_e.audio.ecker_codes import ecker_codes_of
    from vall_e.audio.loudness import lufs

    if not is_ecker(target):
        encoded.codes.save(target)
        return
    found = ecker_codes_of(encoded.codes, samples=encoded.samples, sample_rate=encoded.sample_rate)
    if found.family == "dac":
        clip = Clip.read(source).mono()
        found = found.for_dac(lufs(clip.samples, clip.sample_rate))
    found.save(target)


def write_sound(codes: Codes, codec: Codec, *, source: Path, target: Path) -> float:
    """Decode the codes of the file `source` block by block; returns the seconds of audio."""
    from vall_e.audio.encoding import write_recording
    from vall_e.codec.long_audio import sound_of

    sound = sound_of(codes, codec)
    if is_ecker(source):
        sound = as_it_was(sound, _ecker(source), codec.sample_rate)
    return write_recording(target, sound, codec.sample_rate)


def as_it_was(sound: Pieces, ecker: EckerCodes, sample_rate: int) -> Pieces:
    """Cut and scaled to the length and loudness of the recording, as noted in their file."""
    import numpy as np

    from vall_e.audio.loudness import lufs

    if ecker.seconds is not None:
        sound = _first(sound, round(ecker.seconds * sample_rate))
    if ecker.loudness is None:
        yield from sound
        return
    whole = np.concatenate(list(sound))  # loudness is measured over the whole recording
    yield whole * 10 ** ((ecker.loudness - lufs(whole, sample_rate)) / 20)


def _first(sound: Pieces, samples: int) -> Pieces:
    for piece in sound:
        yield piece[..., :samples]
        samples = max(0, samples - piece.shape[-1])


def facts_of_ecker(file: Path) -> dict[str, Any]:
    """What `vall-e codec info` shows for a file of theirs."""
    found = _ecker(file)
    plain = {name: value for name, value in found.facts.items() if _is_short(value)}
    seconds = {} if found.seconds is None else {"seconds": round(found.seconds, 3)}
    levels, frames = found.values.shape
    return {"codec": found.family, "levels": levels, "frames": frames, **seconds, **plain}


def _ecker(source: Path) -> EckerCodes:
    from vall_e.audio.ecker_codes import EckerCodes

    return EckerCodes.load(source)


def _is_short(value: object) -> bool:
    return isinstance(value, str | int | float | bool | None)
