"""Clips that were encoded and decoded: recordings, or the codes of a dataset."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path

import torch
from attrs import frozen

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.codec.encode import decode, encode, to_codes
from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.manifest import CODES, INFO
from vall_e.data.ingest.recordings import Recording, find_recordings
from vall_e.errors import AudioError, ConfigError, DataError
from vall_e.evaluation.clips import EvalClip, Items, facts
from vall_e.interfaces.codec import Codec


@frozen(eq=False)
class ResynthesisSource:
    """A recording, or the codes of one, before it is decoded."""

    name: str
    text: str
    speaker: str
    original: Path | None
    digest: str
    """Identifies what is decoded."""
    codes: Callable[[], Codes]
    """Returns the codes, or raises `AudioError`."""


def sources(path: Path, codec: Codec) -> tuple[list[ResynthesisSource], dict[str, dict[str, str]]]:
    """From a dataset, a folder of recordings or a table of them; and the report's entries."""
    if (path / INFO).is_file():
        return _of_dataset(Dataset(path), codec), {"dataset": facts(path / CODES)}
    table = path if path.is_file() else None
    found = find_recordings(path.parent if table else path, transcripts=table)
    missing = [str(recording.path) for recording in found if not recording.path.is_file()]
    if missing:
        raise DataError(
            f"{path} names {len(missing)} recordings that do not exist, first {missing[0]}",
            hint="correct the table",
        )
    made = [
        ResynthesisSource(
            recording.id,
            recording.text,
            recording.speaker,
            recording.path,
            hashlib.sha256(recording.path.read_bytes()).hexdigest(),
            partial(_encode, recording, codec),
        )
        for recording in found
    ]
    digests = hashlib.sha256("".join(source.digest for source in made).encode())
    return made, {"recordings": {"file": path.name, "sha256": digests.hexdigest()}}


def resynthesize(
    codec: Codec,
    path: Path,
    levels: Sequence[int],
    folder: Path,
    *,
    count: int | None = None,
    on_clip: Callable[[EvalClip], None] = lambda item: None,
) -> Items:
    """Decode the first `count` at each number of levels, unless `folder` has them already."""
    _check_levels(levels, codec)
    found, inputs = sources(path, codec)
    folder.mkdir(parents=True, exist_ok=True)
    weights = weights_of(codec)
    items = []
    for number in levels:
        for source in found[:count]:
            decoded = folder / _name(source, number, codec, weights)
            items.append(_item(source, number, codec, decoded))
            on_clip(items[-1])
    inputs["codec"] = {"identity": codec.identity, "sha256": weights}
    return Items(tuple(items), inputs, pooled=len(levels) == 1)


def _item(source: ResynthesisSource, levels: int, codec: Codec, decoded: Path) -> EvalClip:
    """The clip, decoded if it does not exist; or why it cannot be made."""
    group = f"{levels} level" + "s" * (levels > 1)
    if not decoded.is_file():
        try:
            codes = source.codes()
        except AudioError as exc:
            path = source.original or decoded
            return EvalClip(path, source.text, source.speaker, group, problem=exc.message)
        decode(codes.levels(levels), codec).write(decoded)
    return EvalClip(decoded, source.text, source.speaker, group, original=source.original)


def weights_of(codec: Codec) -> str:
    """SHA-256 of all weights of a codec; its identity covers only those that affect codes."""
    digest = hashlib.sha256(codec.identity.encode())
    if isinstance(codec, torch.nn.Module):
        for name, tensor in sorted(codec.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _check_levels(levels: Sequence[int], codec: Codec) -> None:
    wrong = [number for number in levels if not 1 <= number <= codec.levels]
    if wrong:
        raise ConfigError(
            f"--levels {wrong[0]}: the codec has {codec.levels}",
            hint=f"use numbers from 1 to {codec.levels}",
        )


def _of_dataset(dataset: Dataset, codec: Codec) -> list[ResynthesisSource]:
    if dataset.info.codec != codec.identity:
        raise DataError(
            f"{dataset.folder} holds codes of {dataset.info.codec}, the codec here is "
            f"{codec.identity}",
            hint="select its codec with -c or --set codec=...",
        )
    made = []
    for entry in dataset.entries:
        codes = dataset.codes(entry)
        source = (dataset.folder / entry.source).resolve() if entry.source else None
        original = source if source and source.is_file() else None
        digest = hashlib.sha256(codes.tobytes()).hexdigest()
        known = partial(to_codes, torch.from_numpy(codes), codec)
        made.append(ResynthesisSource(entry.id, entry.text, entry.speaker, original, digest, known))
    return made


def _encode(recording: Recording, codec: Codec) -> Codes:
    if recording.problem:
        raise AudioError(f"{recording.id}: {recording.problem}", hint="correct the recording")
    return encode(Clip.read(recording.path), codec)


def _name(source: ResynthesisSource, levels: int, codec: Codec, weights: str) -> str:
    settings = [source.digest, levels, codec.identity, weights, metadata.version("vall-e")]
    digest = hashlib.sha256(json.dumps(settings).encode()).hexdigest()
    safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in source.name)
    return f"{safe[-60:]}-{levels}-{digest[:16]}.wav"
