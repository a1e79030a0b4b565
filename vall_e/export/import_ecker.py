"""Converts a file of e-c-k-e-r/vall-e to one of ours."""

from pathlib import Path

from vall_e.errors import CheckpointError
from vall_e.registry import Registry
from vall_e.weights.ecker.file import Reading, is_ecker, read_ecker
from vall_e.weights.file import Bundle, bundle_of, save
from vall_e.weights.lora_file import LoraFile, read_lora, write_lora


def convert_ecker(
    source: Path, output: Path, registry: Registry, reading: Reading | None = None
) -> Bundle:
    """Write a file of ours, and return its contents. Tensors keep their dtypes.

    Raises `CheckpointError` for a file that is not of e-c-k-e-r/vall-e.
    """
    if not is_ecker(source):
        raise CheckpointError(
            f"{source} is not a file of e-c-k-e-r/vall-e: it is damaged, or has no tensor 'sep'",
            hint="files written by vall-e itself can be used directly with -m",
        )
    _require_another(output, source)
    bundle = bundle_of(read_ecker(source, registry, reading), source, dtype=None)
    save(bundle, output)
    return bundle


def convert_lora(source: Path, output: Path) -> LoraFile:
    """Write a LoRA of ours, and return its contents."""
    _require_another(output, source)
    file = read_lora(source)
    write_lora(file, output)
    return file


def _require_another(output: Path, source: Path) -> None:
    if output.resolve() == source.resolve():
        raise CheckpointError(f"{output} is the source itself", hint="give another file with -o")
