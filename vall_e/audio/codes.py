"""Codes with the identity of their codec, and files of codes (safetensors)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from attrs import Attribute, asdict, cmp_using, evolve, field, fields, frozen, validators
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from vall_e.atomic_write import write_atomically
from vall_e.audio.block_codes import Blocks
from vall_e.audio.content_hash import require_hash, with_hash
from vall_e.damaged_files import damage_as, parse_json
from vall_e.errors import AudioError, CheckpointError, DataError, VallEError
from vall_e.interfaces.codec import frame_samples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from jaxtyping import Int16

FORMAT = 1
"""Version of the file format."""
FORMAT_OF_BLOCKS = 2
"""Version for codes in blocks, which older versions would play wrongly."""
SUFFIX = ".codes.safetensors"
HIGHEST_RATE = 10_000_000
"""Of samples or frames in a second: below it, all lengths can be computed."""


def _are_codes(_: object, __: Attribute[Any], values: Int16[np.ndarray, "k f"]) -> None:
    if values.dtype != np.int16 or values.ndim != 2:
        raise DataError(
            f"codes must be int16 (levels, frames), not {values.dtype} {values.shape}",
            hint="make them with a codec",
        )
    if values.size and values.min() < 0:
        raise DataError(f"codes cannot be negative, found {values.min()}", hint="encode again")


@frozen
class Codes:
    """`values` is `(k, f)`: a row for each level, coarse to fine, a column for each frame.

    `codec` is the identity of the codec that made them; codes of different codecs cannot be mixed.
    `blocks` gives the position of the columns in time if they are not simply consecutive.
    """

    values: Int16[np.ndarray, "k f"] = field(validator=_are_codes, eq=cmp_using(eq=np.array_equal))
    codec: str = field(validator=validators.min_len(1))
    frame_rate: float = field(validator=[validators.gt(0), validators.lt(HIGHEST_RATE)])
    sample_rate: int = field(validator=[validators.gt(0), validators.lt(HIGHEST_RATE)])
    blocks: Blocks | None = field(default=None)

    @sample_rate.validator
    def _frames_have_samples(self, _: object, sample_rate: int) -> None:
        if sample_rate < self.frame_rate:
            raise ValueError(f"{self.frame_rate} frames per second, but {sample_rate} samples")

    @blocks.validator
    def _blocks_are_all_columns(self, _: object, blocks: Blocks | None) -> None:
        if blocks is not None and blocks.frames.sum() != self.frames:
            raise DataError(
                f"blocks with {blocks.frames.sum()} frames do not match {self.frames} frames of "
                "codes",
                hint="make the codes again from their recording",
            )

    @property
    def frame_samples(self) -> int:
        return round(frame_samples(sample_rate=self.sample_rate, frame_rate=self.frame_rate))

    @property
    def frames(self) -> int:
        return int(self.values.shape[1])

    @property
    def seconds(self) -> float:
        if self.blocks is not None:
            return self.blocks.end(self.frame_samples) / self.sample_rate
        return self.frames / self.frame_rate

    def levels(self, count: int) -> Self:
        """The first `count` levels."""
        if not 1 <= count <= len(self.values):
            raise DataError(
                f"these codes have {len(self.values)} levels, not {count}",
                hint="ask for fewer levels, or encode with more",
            )
        return evolve(self, values=self.values[:count])

    def with_blocks(self, blocks: Blocks) -> Self:
        """The same columns, with these positions in time."""
        return evolve(self, blocks=blocks)

    @classmethod
    def join(cls, parts: Sequence[Codes]) -> Codes:
        """Join in sequence. Raises `DataError` if they differ in codec or levels."""
        if not parts:
            raise DataError("there are no codes to join", hint="give at least one")
        first = parts[0]
        for part in parts[1:]:
            if part.codec != first.codec:
                raise _foreign("codes", part.codec, first.codec)
            if len(part.values) != len(first.values):
                raise DataError(
                    f"codes of {len(first.values)} and {len(part.values)} levels cannot be joined",
                    hint="encode both with the same `--levels`; in Python, use Codes.levels",
                )
        blocks = [part.blocks for part in parts if part.blocks is not None]
        if blocks and len(blocks) < len(parts):
            raise DataError(
                "codes made in blocks cannot be joined with others",
                hint="encode all recordings with `vall-e codec encode`",
            )
        return evolve(
            first,
            values=np.concatenate([part.values for part in parts], axis=1),
            blocks=Blocks.join(blocks, first.frame_samples) if blocks else None,
        )

    def save(self, path: str | Path) -> None:
        """Write one file, completely or not at all."""
        tensors = {"codes": np.ascontiguousarray(self.values)}
        if self.blocks is not None:
            tensors |= {f"blocks.{name}": array for name, array in asdict(self.blocks).items()}
        metadata = {
            "vall_e.codes": json.dumps(FORMAT if self.blocks is None else FORMAT_OF_BLOCKS),
            "codec": self.codec,
            "frame_rate": json.dumps(self.frame_rate),
            "sample_rate": json.dumps(self.sample_rate),
        }
        data = save(tensors, metadata=with_hash(tensors, metadata))
        write_atomically(Path(path), data, error=AudioError)

    @classmethod
    def load(cls, path: str | Path, *, codec: str | None = None) -> Self:
        """Read a file written by `save`; with `codec`, refuse codes of another one.

        Raises `CheckpointError` for a damaged file, `DataError` for a missing or foreign one.
        """
        path = Path(path)
        if not path.is_file():
            raise DataError(f"there is no file {path}", hint="check the path")
        with reading_codes(path, CheckpointError):
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                has_blocks = _format(metadata, path) == FORMAT_OF_BLOCKS
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                require_hash(tensors, metadata, path)
            codes = cls(
                tensors["codes"],
                metadata["codec"],
                float(metadata["frame_rate"]),
                int(metadata["sample_rate"]),
                _blocks_in(tensors) if has_blocks else None,
            )
        if codec is not None and codes.codec != codec:
            raise _foreign(str(path), codes.codec, codec)
        return codes


def reading_codes(path: Path, error: type[VallEError]) -> AbstractContextManager[None]:
    """Whatever a damaged file of codes or of a voice raises becomes an `error` that names it."""
    return damage_as(error, path, hint="make it again from its recording")


def holds_codes(path: Path) -> bool:
    """Whether this is a file of codes, valid or not."""
    try:
        with safe_open(path, framework="numpy") as file:
            return "vall_e.codes" in (file.metadata() or {})
    except (SafetensorError, OSError, ValueError):
        return path.name.endswith(SUFFIX)


def _format(metadata: dict[str, str], path: Path) -> int:
    if "vall_e.codes" not in metadata:
        raise DataError(
            f"{path} contains no codes", hint="give a file written by `vall-e codec encode`"
        )
    version: int = parse_json(metadata["vall_e.codes"])
    if version not in (FORMAT, FORMAT_OF_BLOCKS):
        raise DataError(
            f"{path} has version {version} of the format, but this version of vall-e reads "
            f"{FORMAT} and "
            f"{FORMAT_OF_BLOCKS}",
            hint="update vall-e, or make the codes again",
        )
    return version


def _blocks_in(tensors: Mapping[str, np.ndarray]) -> Blocks:
    return Blocks(**{each.name: tensors[f"blocks.{each.name}"] for each in fields(Blocks)})


def _foreign(what: str, found: str, wanted: str) -> DataError:
    return DataError(
        f"{what} are from the codec {found}, not {wanted}",
        hint="use that codec, or encode the recordings again with this one",
    )
