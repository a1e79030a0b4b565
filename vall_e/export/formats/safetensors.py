"""The project's own format: see `vall_e.weights.file`."""

from pathlib import Path

from vall_e.weights.file import Bundle, save


class SafetensorsExporter:
    """Tensors in their present dtype; everything else as JSON in the metadata."""

    suffix = ".safetensors"

    def __call__(self, bundle: Bundle, path: Path) -> None:
        save(bundle, path)
