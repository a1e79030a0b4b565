"""The file of the most similar utterances of each, from which prompts may be drawn. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.damaged_files import damage_as, parse_json
from vall_e.data.dataset.manifest import write_lines
from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SIMILAR = "similar.jsonl"
Neighbours = dict[str, list[tuple[str, float]]]
"""By id: the ids of others with their cosine, the most similar first."""


def similar_path(dataset: Path) -> Path:
    """Inside a folder, or next to a file: `mine.hdf5.similar.jsonl`."""
    return (
        dataset.with_name(f"{dataset.name}.{SIMILAR}") if dataset.is_file() else dataset / SIMILAR
    )


def write_similar(folder: Path, neighbours: Mapping[str, Sequence[tuple[str, float]]]) -> None:
    """Lines of `{"id": ..., "similar": [[id, cosine], ...]}`; written completely or not at all."""
    rows = (
        {"id": identity, "similar": [[other, round(score, 4)] for other, score in found]}
        for identity, found in neighbours.items()
    )
    write_lines(similar_path(folder), rows)


def read_similar(folder: Path) -> Neighbours:
    """What `write_similar` wrote; empty if there is no such file."""
    path = similar_path(folder)
    if not path.exists():
        return {}
    with damage_as(DataError, path, hint="make it again with `vall-e data similar`"):
        rows = [parse_json(line) for line in path.read_bytes().splitlines()]
        return {
            str(row["id"]): [(str(other), float(score)) for other, score in row["similar"]]
            for row in rows
        }
