"""The project's own format: see `vall_e.model.weights`."""

from pathlib import Path

from vall_e.model.weights import Bundle, save


class SafetensorsExporter:
    """Tensors in their present dtype; all else as JSON in the metadata."""

    suffix = ".safetensors"

    def __call__(self, bundle: Bundle, path: Path) -> None:
        save(bundle, path)
