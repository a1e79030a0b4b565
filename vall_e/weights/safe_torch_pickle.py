"""PyTorch files that hold tensors and plain data. Nothing in them is ever run."""

import json
import logging
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vall_e.errors import CheckpointError

PICKLED = (".pth", ".pt")
"""Suffixes of such files."""

log = logging.getLogger(__name__)


def read_pickle(path: Path) -> dict[str, Any]:
    """Raises `CheckpointError` for a file that would have to run code to be read, unrun."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as exc:
        raise CheckpointError(
            f"{path} is damaged, or holds more than tensors and plain data, which would have to "
            "be run to be read",
            hint="convert it to .sft with the program that wrote it, on a machine that may",
        ) from exc
    return content if isinstance(content, dict) else {}


def plain_facts(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What JSON can hold of it; the rest (states of optimizers, say) is named in a warning."""
    facts = {str(key): value for key, value in content.items() if _is_plain(value)}
    if left := sorted(str(key) for key in content if str(key) not in facts):
        log.warning("%s: not read: %s", path.name, ", ".join(left))
    return facts


def _is_plain(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
