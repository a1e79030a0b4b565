"""Codes with the identity of their codec, and the files that hold them (safetensors)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from attrs import Attribute, cmp_using, evolve, field, frozen, validators
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from vall_e.errors import AudioError, CheckpointError, DataError
from vall_e.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Int16

FORMAT = 1
"""Version of the file format."""
SUFFIX = ".codes.safetensors"


def _are_codes(_: object, __: Attribute[Any], values: Int16[np.ndarray, "k f"]) -> None:
    if values.dtype != np.int16 or values.ndim != 2:
        raise DataError(
            f"codes are int16 (levels, frames), not {values.dtype} {values.shape}",
            hint="make them with a codec",
        )
    if values.size and values.min() < 0:
        raise DataError(f"codes are never negative, found {values.min()}", hint="encode again")


@frozen
class Codes:
    """`values` is `(k, f)`: a row for each level, coarse to fine, a column for each frame.

    `codec` is the identity of what made them; codes of different identities cannot be mixed.
    """

    values: Int16[np.ndarray, "k f"] = field(validator=_are_codes, eq=cmp_using(eq=np.array_equal))
    codec: str = field(validator=validators.min_len(1))
    frame_rate: float = field(validator=validators.gt(0))
    sample_rate: int = field(validator=validators.gt(0))

    @property
    def frames(self) -> int:
        return int(self.values.shape[1])

    @property
    def seconds(self) -> float:
        return self.frames / self.frame_rate

    def levels(self, count: int) -> Self:
        """The first `count` levels."""
        if not 1 <= count <= len(self.values):
            raise DataError(
                f"these codes have {len(self.values)} levels, not {count}",
                hint="ask for fewer levels, or encode with more",
            )
        return evolve(self, values=self.values[:count])

    @classmethod
    def join(cls, parts: Sequence[Codes]) -> Codes:
        """One after the other. Raises `DataError` if they differ in codec or levels."""
        if not parts:
            raise DataError("there are no codes to join", hint="give at least one")
        first = parts[0]
        for part in parts[1:]:
            if part.codec != first.codec:
                raise _foreign("codes", part.codec, first.codec)
            if len(part.values) != len(first.values):
                raise DataError(
                    f"codes of {len(first.values)} and {len(part.values)} levels cannot be joined",
                    hint="bring them to the same number with Codes.levels",
                )
        return evolve(first, values=np.concatenate([part.values for part in parts], axis=1))

    def save(self, path: str | Path) -> None:
        """As one file, which appears whole or not at all."""
        metadata = {
            "vall_e.codes": json.dumps(FORMAT),
            "codec": self.codec,
            "frame_rate": json.dumps(self.frame_rate),
            "sample_rate": json.dumps(self.sample_rate),
        }
        data = save({"codes": np.ascontiguousarray(self.values)}, metadata=metadata)
        write_whole(Path(path), data, error=AudioError)

    @classmethod
    def load(cls, path: str | Path, *, codec: str | None = None) -> Self:
        """Read what `save` wrote; with `codec`, refuse codes of another one.

        Raises `CheckpointError` for a damaged file, `DataError` for a missing or foreign one.
        """
        path = Path(path)
        if not path.is_file():
            raise DataError(f"there is no file {path}", hint="check the path")
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                _check_format(metadata, path)
                codes = cls(
                    file.get_tensor("codes"),
                    metadata["codec"],
                    float(metadata["frame_rate"]),
                    int(metadata["sample_rate"]),
                )
        except (SafetensorError, KeyError, ValueError, OSError) as exc:
            raise CheckpointError(
                f"{path} is damaged: {exc}", hint="make the codes again from their recording"
            ) from exc
        if codec is not None and codes.codec != codec:
            raise _foreign(str(path), codes.codec, codec)
        return codes


def holds_codes(path: Path) -> bool:
    """Whether this is a file of codes, sound or not."""
    try:
        with safe_open(path, framework="numpy") as file:
            return "vall_e.codes" in (file.metadata() or {})
    except (SafetensorError, OSError):
        return path.name.endswith(SUFFIX)


def _check_format(metadata: dict[str, str], path: Path) -> None:
    if "vall_e.codes" not in metadata:
        raise DataError(f"{path} holds no codes", hint="give a file that Codes.save wrote")
    version = json.loads(metadata["vall_e.codes"])
    if version != FORMAT:
        raise DataError(
            f"{path} has the format {version} of codes, this version reads {FORMAT}",
            hint="update vall-e, or make the codes again",
        )


def _foreign(what: str, found: str, wanted: str) -> DataError:
    return DataError(
        f"{what} were made with the codec {found}, not {wanted}",
        hint="use that codec, or encode the recordings again with this one",
    )
