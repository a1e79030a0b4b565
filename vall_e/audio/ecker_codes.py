"""Files of codes of e-c-k-e-r/vall-e and of Descript's `dac`: .enc, .dac, .dec and .nem."""

from __future__ import annotations

from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from attrs import Attribute, cmp_using, evolve, field, frozen, validators

from vall_e.atomic_write import write_atomically
from vall_e.audio.codes import Codes
from vall_e.audio.safe_npy import read_dictionary
from vall_e.errors import AudioError, CheckpointError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Int16

    from vall_e.interfaces.codec import Codec

FAMILIES = {".enc": "encodec", ".dac": "dac", ".dec": "audiodec", ".nem": "nemo"}
"""Codec families by file suffix: the identities of their codecs begin with these names."""
WINDOWED = "padding"
"""If False, Descript's program encoded windows separately, and frames are not consecutive."""


def is_ecker(path: Path) -> bool:
    """Whether its suffix is one of theirs."""
    return path.suffix.lower() in FAMILIES


def _are_codes(_: object, __: Attribute[Any], values: Int16[np.ndarray, "k f"]) -> None:
    if values.ndim != 2 or values.dtype != np.int16:
        raise DataError(
            f"codes must be int16 (levels, frames), not {values.dtype} {values.shape}",
            hint="make them with a codec",
        )


@frozen
class EckerCodes:
    """Codes `(k, f)`, the family of their codec, and other facts about them.

    `facts` are from the file: `original_length` in samples of the recording at its `sample_rate`,
    always; `text`, `phonemes` and `language`, `input_db` (loudness in LUFS) and others, if
    known.
    """

    values: Int16[np.ndarray, "k f"] = field(validator=_are_codes, eq=cmp_using(eq=np.array_equal))
    family: str = field(validator=validators.in_(tuple(FAMILIES.values())))
    facts: Mapping[str, Any] = field(factory=dict)

    @property
    def seconds(self) -> float | None:
        """Length of the recording, without the silence that fills the last frame; None: unknown."""
        length, rate = self.facts.get("original_length"), self.facts.get("sample_rate")
        if not (isinstance(length, int) and isinstance(rate, int) and length >= 0 < rate):
            return None
        return length / rate

    @property
    def loudness(self) -> float | None:
        """Loudness of the recording in LUFS, before Descript's program normalized it."""
        told = self.facts.get("input_db")
        if not isinstance(told, np.ndarray | float) or np.size(told) != 1:
            return None
        found = float(np.reshape(told, -1)[0])
        return found if isfinite(found) else None

    def for_dac(self, loudness: float) -> Self:
        """With the facts that Descript's program needs: one stream, with one channel."""
        facts = {
            "input_db": np.array([loudness], np.float32),
            "chunk_length": int(self.values.shape[1]),
            "channels": 1,
            "padding": True,
            "dac_version": "1.0.0",
        }
        return evolve(self, facts={**self.facts, **facts})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read without running anything in the file.

        Raises `DataError` for a missing file or another suffix, `CheckpointError` for a damaged or
        malicious one.
        """
        path = Path(path)
        family = FAMILIES.get(path.suffix.lower())
        if family is None:
            raise DataError(
                f"{path} does not end in {', '.join(FAMILIES)}", hint="rename it, or give another"
            )
        found = read_dictionary(path)
        facts = found.get("metadata")
        return cls(
            _codes_in(found.get("codes"), path), family, facts if isinstance(facts, dict) else {}
        )

    def save(self, path: str | Path) -> None:
        """As their programs read it, with `numpy.save`. Written completely or not at all."""
        path, out = Path(path), BytesIO()
        if FAMILIES.get(path.suffix.lower()) != self.family:
            ending = next(end for end, family in FAMILIES.items() if family == self.family)
            raise DataError(
                f"{path}: files with codes of {self.family} must end in {ending}",
                hint=f"name it {path.with_suffix(ending).name}, or use the codec for that suffix",
            )
        content = {"codes": self.values[None].astype(np.uint16), "metadata": dict(self.facts)}
        np.save(out, np.array(content, dtype=object), allow_pickle=True)
        write_atomically(path, out.getvalue(), error=AudioError)

    def of(self, codec: Codec, path: Path) -> Codes:
        """As codes of this codec, which the file does not name; an error if they cannot be."""
        family = codec.identity.partition("-")[0]
        if family != self.family:
            raise DataError(
                f"{path} has codes of {self.family}, but the codec is {codec.identity}",
                hint=f"choose it with --codec {self.family}, if that is installed",
            )
        if self.facts.get(WINDOWED) is False:
            raise DataError(
                f"{path} was made window by window, without silence at the ends: its frames are "
                "not "
                "consecutive",
                hint="encode the recording again, with a --win_duration longer than the recording",
            )
        if len(self.values) > codec.levels:
            raise DataError(
                f"{path} has {len(self.values)} levels, but the codec has {codec.levels}",
                hint=f"set codec.levels={len(self.values)}",
            )
        codes = Codes(self.values, codec.identity, codec.frame_rate, codec.sample_rate)
        _require_rate(codes, self, path)
        return codes


def ecker_codes_of(codes: Codes, *, samples: int, sample_rate: int) -> EckerCodes:
    """Codes of a recording with this many samples at this rate, for a file of theirs."""
    family = codes.codec.partition("-")[0]
    if family not in FAMILIES.values() or codes.blocks is not None:
        raise DataError(
            f"codes of {codes.codec} cannot be stored in the format of e-c-k-e-r/vall-e",
            hint="give a file that ends in .codes.safetensors",
        )
    facts: dict[str, Any] = {"original_length": samples, "sample_rate": sample_rate}
    return EckerCodes(codes.values, family, facts)


def _codes_in(found: object, path: Path) -> Int16[np.ndarray, "k f"]:
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iu":
        raise CheckpointError(f"{path} contains no codes", hint="give a file of codes")
    values = found[0] if found.ndim == 3 and len(found) == 1 else found
    if values.ndim != 2 or not len(values):
        raise CheckpointError(
            f"{path} has codes of the shape {found.shape}, not (1, levels, frames)",
            hint="split it: one recording in each file, with one channel",
        )
    if values.size and not 0 <= int(values.min()) <= int(values.max()) < 2**15:
        raise CheckpointError(f"{path} has numbers that are not codes", hint="make it again")
    return values.astype(np.int16)


def _require_rate(codes: Codes, ecker: EckerCodes, path: Path) -> None:
    """Raise an error if the frame rate differs, as the audio would play at another speed."""
    told = ecker.seconds
    if told is not None and abs(codes.seconds - told) > max(0.2, 0.02 * told):
        raise DataError(
            f"{path} claims {told:.2f} s, but its codes last {codes.seconds:.2f} s at "
            f"{codes.frame_rate:g} frames per second",
            hint="set the sample rate of the codec that made it, or make it again",
        )
