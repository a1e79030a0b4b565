"""Files of codes of ours and of the original, as `vall-e codec` reads and writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vall_e.errors import DataError

if TYPE_CHECKING:
    from vall_e.audio.clip import Clip
    from vall_e.audio.codes import Codes
    from vall_e.audio.original_codes import OriginalCodes
    from vall_e.interfaces.codec import Codec
    from vall_e.model.long_coding import Encoded

CODES = ".codes.safetensors"
ORIGINAL = (".enc", ".dac", ".dec", ".nem")
"""Those of `vall_e.audio.original_codes`, which is not imported for `--help`."""
CODES_IN = f"{CODES}, {', '.join(ORIGINAL)}"


def is_original(path: Path) -> bool:
    return path.suffix.lower() in ORIGINAL


def require_ending(output: Path) -> None:
    """Our own files only: what is made of codes alone has no recording to tell of."""
    if not output.name.endswith(CODES):
        raise DataError(
            f"{output} does not end in {CODES}", hint=f"name it {output.with_suffix(CODES)}"
        )


def codes_of(source: Path, codec: Codec) -> Codes:
    """The codes in a file of any of the formats; refused if they are not of this codec."""
    from vall_e.audio.codes import Codes

    if is_original(source):
        return _original(source).of(codec, source)
    return Codes.load(source, codec=codec.identity)


def save(encoded: Encoded, source: Path, target: Path) -> None:
    """In the format that the target's ending names; `source` is the recording."""
    from vall_e.audio.clip import Clip
    from vall_e.audio.loudness import lufs
    from vall_e.audio.original_codes import original_of

    if not is_original(target):
        encoded.codes.save(target)
        return
    found = original_of(encoded.codes, samples=encoded.samples, sample_rate=encoded.sample_rate)
    if found.family == "dac":
        clip = Clip.read(source).mono()
        found = found.for_dac(lufs(clip.samples, clip.sample_rate))
    found.save(target)


def finished(clip: Clip, source: Path) -> Clip:
    """As long and as loud as the file tells that its recording was; ours tell nothing."""
    from attrs import evolve

    from vall_e.audio.loudness import lufs

    if not is_original(source):
        return clip
    found = _original(source)
    if found.seconds is not None:
        clip = clip.cut(0.0, found.seconds)
    if found.loudness is None:
        return clip
    gain = 10 ** ((found.loudness - lufs(clip.samples, clip.sample_rate)) / 20)
    return evolve(clip, samples=clip.samples * gain)


def facts_of_original(file: Path) -> dict[str, Any]:
    """What `vall-e codec info` says of a file of theirs."""
    found = _original(file)
    plain = {name: value for name, value in found.facts.items() if _is_short(value)}
    seconds = {} if found.seconds is None else {"seconds": round(found.seconds, 3)}
    levels, frames = found.values.shape
    return {"codec": found.family, "levels": levels, "frames": frames, **seconds, **plain}


def _original(source: Path) -> OriginalCodes:
    from vall_e.audio.original_codes import OriginalCodes

    return OriginalCodes.load(source)


def _is_short(value: object) -> bool:
    return isinstance(value, str | int | float | bool | None)
