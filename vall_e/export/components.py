"""File formats that ship in the core. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from vall_e.plugin import Component, Trial

if TYPE_CHECKING:
    from vall_e.interfaces.export import Exporter


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
class OriginalLoraConfig:
    """No options."""


@frozen
class TorchConfig:
    """No options."""


def build_safetensors(config: SafetensorsConfig) -> Exporter:
    from vall_e.export.safetensors import SafetensorsExporter

    return SafetensorsExporter()


def build_hugging_face(config: HuggingFaceConfig) -> Exporter:
    from vall_e.export.hf import HuggingFaceExporter

    return HuggingFaceExporter()


def build_lora(config: LoraExportConfig) -> Exporter:
    from vall_e.export.lora import LoraExporter

    return LoraExporter()


def build_original(config: EckerExportConfig) -> Exporter:
    from vall_e.export.ecker import OriginalExporter

    return OriginalExporter()


def build_original_lora(config: OriginalLoraConfig) -> Exporter:
    from vall_e.export.lora import OriginalLoraExporter

    return OriginalLoraExporter()


def build_torch(config: TorchConfig) -> Exporter:
    from vall_e.export.torch import TorchExporter

    return TorchExporter()


SMALL = {"name": "llama", "d_model": 32, "layers": 2, "heads": 4}
FOR_TRANSFORMERS = {
    "backbone": SMALL,
    "prompt_levels": "known",
    "positions": "unified",
    "head_bias": False,
}
FOR_THE_ORIGINAL = {
    "backbone": {**SMALL, "d_ff": 128, "activation": "gelu"},
    "prompt_levels": "known",
}

EXPORTERS = (
    Component(
        name="safetensors",
        config=SafetensorsConfig,
        build=build_safetensors,
        summary="one file with everything in it, which `-m` takes",
    ),
    Component(
        name="hf",
        config=HuggingFaceConfig,
        build=build_hugging_face,
        summary="the AR stage as a folder that transformers opens as a Llama",
        trial=Trial(
            facts={"sections": {"model": FOR_TRANSFORMERS}},
            exceptions=dict.fromkeys(
                (
                    "test_replaces_an_older_file",
                    "test_different_weights_give_different_files",
                    "test_a_file_that_cannot_be_written_leaves_nothing",
                ),
                "it writes a folder",
            ),
        ),
    ),
    Component(
        name="lora",
        config=LoraExportConfig,
        build=build_lora,
        summary="the adapter of a run with the wrapper lora, without its base, for --lora",
        paper="https://arxiv.org/abs/2106.09685",
        trial=Trial(facts={"adapted": True}),
    ),
    Component(
        name="original",
        config=EckerExportConfig,
        build=build_original,
        summary="the .sft file of e-c-k-e-r/vall-e, for models that it can compute",
        trial=Trial(facts={"sections": {"model": FOR_THE_ORIGINAL}}),
    ),
    Component(
        name="original-lora",
        config=OriginalLoraConfig,
        build=build_original_lora,
        summary="the adapter of a run as the lora.sft of e-c-k-e-r/vall-e",
        trial=Trial(facts={"adapted": True}),
    ),
    Component(
        name="torch",
        config=TorchConfig,
        build=build_torch,
        summary="torch.save of plain tensors and JSON text, for other programs",
    ),
)
