"""A file of another project in, a file of ours out."""

from pathlib import Path

from vall_e.errors import CheckpointError
from vall_e.registry import Registry
from vall_e.weights.ecker.file import Reading, is_ecker, read_ecker
from vall_e.weights.file import Bundle, bundle_of, save
from vall_e.weights.lora_file import LoraFile, read_lora, write_lora


def convert_ecker(
    source: Path, output: Path, registry: Registry, reading: Reading | None = None
) -> Bundle:
    """Write a file of ours, and give what is in it. Tensors keep their dtypes.

    Raises `CheckpointError` for a file that is not of e-c-k-e-r/vall-e.
    """
    if not is_ecker(source):
        raise CheckpointError(
            f"{source} is no file of e-c-k-e-r/vall-e: it is damaged, or has no tensor 'sep'",
            hint="what vall-e itself wrote is read by -m as it is",
        )
    _require_another(output, source)
    bundle = bundle_of(read_ecker(source, registry, reading), source, dtype=None)
    save(bundle, output)
    return bundle


def convert_lora(source: Path, output: Path) -> LoraFile:
    """Write a LoRA of ours, and give what is in it."""
    _require_another(output, source)
    file = read_lora(source)
    write_lora(file, output)
    return file


def _require_another(output: Path, source: Path) -> None:
    if output.resolve() == source.resolve():
        raise CheckpointError(f"{output} is the source itself", hint="name another file with -o")
