"""PyTorch files with tensors and plain data. Nothing in them is ever run."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vall_e.damaged_files import damage_as
from vall_e.errors import CheckpointError
from vall_e.weights.metadata import PICKLED

__all__ = ["PICKLED", "plain_facts", "read_pickle"]

log = logging.getLogger(__name__)


def read_pickle(path: Path) -> dict[str, Any]:
    """Raises `CheckpointError` for a file that would need to run code, without running it."""
    with damage_as(
        CheckpointError,
        path,
        what="is damaged, or contains more than tensors and plain data, which would need to run "
        "code",
        hint="convert it to .sft with the program that wrote it, on a machine without private data",
    ):
        content = torch.load(path, map_location="cpu", weights_only=True)
    return content if isinstance(content, dict) else {}


def plain_facts(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What JSON can represent; the rest (such as optimizer states) is named in a warning."""
    facts = {str(key): value for key, value in content.items() if _is_plain(value)}
    if left := sorted(str(key) for key in content if str(key) not in facts):
        log.warning("%s: not read: %s", path.name, ", ".join(left))
    return facts


def _is_plain(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
