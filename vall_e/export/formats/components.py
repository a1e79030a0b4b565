"""File formats that ship in the core. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.export.formats.options import (
    EckerExportConfig,
    EckerLoraConfig,
    HuggingFaceConfig,
    LoraExportConfig,
    SafetensorsConfig,
    TorchConfig,
)
from vall_e.plugin import Component, Trial

if TYPE_CHECKING:
    from vall_e.interfaces.export import Exporter


def build_safetensors(config: SafetensorsConfig) -> Exporter:
    from vall_e.export.formats.safetensors import SafetensorsExporter

    return SafetensorsExporter()


def build_hugging_face(config: HuggingFaceConfig) -> Exporter:
    from vall_e.export.formats.hf import HuggingFaceExporter

    return HuggingFaceExporter()


def build_lora(config: LoraExportConfig) -> Exporter:
    from vall_e.export.formats.lora import LoraExporter

    return LoraExporter()


def build_ecker(config: EckerExportConfig) -> Exporter:
    from vall_e.export.formats.ecker import EckerExporter

    return EckerExporter()


def build_ecker_lora(config: EckerLoraConfig) -> Exporter:
    from vall_e.export.formats.lora import EckerLoraExporter

    return EckerLoraExporter()


def build_torch(config: TorchConfig) -> Exporter:
    from vall_e.export.formats.torch import TorchExporter

    return TorchExporter()


SMALL = {"name": "llama", "d_model": 32, "layers": 2, "heads": 4}
FOR_TRANSFORMERS = {
    "backbone": SMALL,
    "prompt_levels": "known",
    "positions": "unified",
    "head_bias": False,
}
FOR_ECKER = {
    "backbone": {**SMALL, "d_ff": 128, "activation": "gelu"},
    "prompt_levels": "known",
}

EXPORTERS = (
    Component(
        name="safetensors",
        config=SafetensorsConfig,
        build=build_safetensors,
        summary="one file with everything in it, for `-m`",
    ),
    Component(
        name="hf",
        config=HuggingFaceConfig,
        build=build_hugging_face,
        summary="the AR stage as a folder that transformers loads as a Llama",
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
        name="ecker",
        aliases=("original",),
        config=EckerExportConfig,
        build=build_ecker,
        summary="the .sft file of e-c-k-e-r/vall-e, for models that it supports",
        trial=Trial(facts={"sections": {"model": FOR_ECKER}}),
    ),
    Component(
        name="ecker-lora",
        aliases=("original-lora",),
        config=EckerLoraConfig,
        build=build_ecker_lora,
        summary="the adapter of a run as the lora.sft of e-c-k-e-r/vall-e",
        trial=Trial(facts={"adapted": True}),
    ),
    Component(
        name="torch",
        config=TorchConfig,
        build=build_torch,
        summary="torch.save of plain tensors and JSON text, for `-m` and other programs",
    ),
)
