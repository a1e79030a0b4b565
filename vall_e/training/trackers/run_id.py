"""The name under which a service knows a run, kept in the run's folder."""

import uuid
from pathlib import Path

from vall_e.atomic_write import write_atomically
from vall_e.errors import TrainingError


def run_id(folder: Path, service: str) -> str:
    """The same for a resumed run."""
    path = folder / f"{service}.id"
    if path.is_file():
        return path.read_text(encoding="utf-8").strip()
    found = uuid.uuid4().hex[:12]
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, found.encode(), error=TrainingError)
    return found
