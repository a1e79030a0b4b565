"""Weight files of other projects: downloaded on request, checked, read without executing code."""

from __future__ import annotations

import hashlib
import logging
import os
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.error import URLError

import torch
from attrs import frozen
from safetensors.torch import load_file
from torch import Tensor

from vall_e.plugin import CheckpointError, ConfigError, DownloadError, damage_as, sha256_of

log = logging.getLogger(__name__)
BLOCK = 1 << 20
CACHE = Path("~/.cache/vall-e")
HUB = "https://huggingface.co"


@frozen
class RemoteFile:
    """A file that never changes: its address, and the SHA-256 of its content."""

    url: str
    sha256: str


@frozen
class HubFile:
    """A file in a repository on the Hugging Face hub, and how a config pins it."""

    repository: str
    """Such as kyutai/mimi."""
    name: str
    revision: str
    """A commit; empty: not set."""
    sha256: str
    """SHA-256 of the file at that commit; empty: not set."""

    def at(self, hub: str) -> RemoteFile:
        """On this server, which may be a mirror: the hash shows whether it is the same file."""
        url = f"{hub.rstrip('/')}/{self.repository}/resolve/{self.revision}/{self.name}"
        return RemoteFile(url, self.sha256)


def locate_on_hub(
    name: str, *, path: Path | None, file: HubFile, download: bool, cache: Path | None
) -> Path:
    """As `locate`, for a file pinned by commit and hash. Raises `ConfigError` without them.

    Uses the server in the variable `HF_ENDPOINT`, as Hugging Face's own programs do.
    """
    if download and path is None and not (file.revision and file.sha256):
        raise ConfigError(
            "codec.download: the version of the weights to download is not set",
            hint=f"set `revision:` to a commit of {file.repository}, and `sha256:` to that of its "
            f"{file.name} (both are shown on its pages)",
        )
    if path is None and not download and not file.sha256:
        raise DownloadError(
            f"the weights of {name} are not on this machine",
            hint=f"download {file.name} of {HUB}/{file.repository} and set `path:` "
            "to it, or set `download: true`",
        )
    remote = file.at(os.environ.get("HF_ENDPOINT") or HUB)
    return locate(name, path=path, remote=remote, download=download, cache=cache)


def locate(
    name: str, *, path: Path | None, remote: RemoteFile, download: bool, cache: Path | None
) -> Path:
    """The file at `path`, or the remote one: from the cache, or downloaded if that is allowed.

    Cached files are checked each time: a disk can fail, and a file can be changed.
    """
    if path is not None:
        return path.expanduser()
    kept = (cache or CACHE).expanduser() / f"{remote.sha256[:16]}-{remote.url.rsplit('/', 1)[-1]}"
    if kept.is_file():
        _require_sound(kept, remote)
        return kept
    if not download:
        raise DownloadError(
            f"the weights of {name} are not on this machine",
            hint="set `path:` to a file that you have, or `download: true` to download them",
        )
    if is_offline(os.environ):
        raise DownloadError(
            f"the weights of {name} are not on this machine, and downloads are disabled "
            "(--offline, or HF_HUB_OFFLINE)",
            hint=f"download {remote.url} on a machine with a network, and set `path:` to the file",
        )
    log.info("downloading %s", remote.url)
    fetch(remote, kept)
    return kept


def is_offline(environ: Mapping[str, str]) -> bool:
    """Whether the Hugging Face hub's variable, which others use too, disables downloads."""
    return environ.get("HF_HUB_OFFLINE", "").strip().upper() in {"1", "ON", "YES", "TRUE"}


def _require_sound(kept: Path, remote: RemoteFile) -> None:
    found = sha256_of(kept)
    if found != remote.sha256:
        raise CheckpointError(
            f"{kept} is damaged: it has SHA-256 {found}, expected {remote.sha256}",
            hint="delete it; `download: true` downloads it again",
        )


def fetch(remote: RemoteFile, target: Path) -> None:
    """Write the file to `target`, whole and checked or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(remote.url) as source, part.open("wb") as file:  # noqa: S310 ours
            while block := source.read(BLOCK):
                digest.update(block)
                file.write(block)
    except (URLError, OSError) as exc:
        part.unlink(missing_ok=True)
        raise DownloadError(
            f"cannot download {remote.url}: {exc}",
            hint="check the network, or download the file elsewhere and set `path:` to it",
        ) from exc
    if digest.hexdigest() != remote.sha256:
        part.unlink()
        raise DownloadError(
            f"{remote.url} has SHA-256 {digest.hexdigest()}, expected {remote.sha256}",
            hint="do not use this file; download it from a source you trust and set `path:` to it",
        )
    os.replace(part, target)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The state dict in a safetensors file or a torch checkpoint (tensors only)."""
    with damage_as(
        CheckpointError,
        path,
        what="has no readable weights",
        hint="check the path; the file must be .safetensors, or a torch state dict",
    ):
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]  # next to other data about the network
    if not isinstance(found, dict) or not all(isinstance(t, Tensor) for t in found.values()):
        raise CheckpointError(
            f"{path} is not a state dict", hint="use a file that maps names to tensors"
        )
    return found


def require_shapes(
    wanted: Mapping[str, torch.Size], state: Mapping[str, Tensor], wrong: str, *, hint: str
) -> None:
    """Raise a `CheckpointError`, which begins with `wrong`, if one of these is missing."""
    missing = [name for name in wanted if name not in state]
    other = [name for name, shape in wanted.items() if name in state and state[name].shape != shape]
    if missing or other:
        raise CheckpointError(
            f"{wrong}: {len(missing)} tensors are missing and {len(other)} have another shape, "
            f"such as {(missing + other)[0]}",
            hint=hint,
        )


def digest_of(state: Mapping[str, Tensor], wanted: Callable[[str], bool]) -> str:
    """Eight characters that identify the tensors whose names are wanted."""
    digest = hashlib.sha256()
    for name in filter(wanted, sorted(state)):
        digest.update(name.encode() + state[name].float().contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]
