"""What a file of synthetic speech says of itself, and the record that can be kept beside it."""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from typing import TYPE_CHECKING

from vall_e.atomic_write import write_whole
from vall_e.audio.encoding import Note
from vall_e.errors import AudioError

if TYPE_CHECKING:
    from pathlib import Path

    from vall_e.synthesis.result import Result


def note() -> Note:
    """For the metadata of an audio file: players show it."""
    version = metadata.version("vall-e")
    return Note(comment="synthetic speech, made by vall-e", software=f"vall-e {version}")


def write_record(result: Result, audio: Path) -> Path:
    """Write `hello.wav.json` beside `hello.wav`: what made it, and the hash that ties it to it."""
    record = {
        "synthetic": True,
        "made_by": note().software,
        "audio": {
            "file": audio.name,
            "sha256": hashlib.sha256(audio.read_bytes()).hexdigest(),
            "seconds": round(result.seconds, 3),
            "sample_rate": result.sample_rate,
        },
        **result.provenance,
        "warnings": list(result.warnings),
    }
    path = audio.with_name(f"{audio.name}.json")
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    write_whole(path, text.encode(), error=AudioError)
    return path
