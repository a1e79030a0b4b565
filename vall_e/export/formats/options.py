"""Options of the exporters. No torch here."""

from __future__ import annotations

from attrs import frozen


@frozen
class SafetensorsConfig:
    """No options."""


@frozen
class HuggingFaceConfig:
    """No options."""


@frozen
class LoraExportConfig:
    """No options."""


@frozen
class EckerExportConfig:
    """No options."""


@frozen
class EckerLoraConfig:
    """No options."""


@frozen
class TorchConfig:
    """No options."""
