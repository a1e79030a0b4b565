"""The built-in wrappers. No torch here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from vall_e.plugin import Component, Trial
from vall_e.training.wrappers.options import (
    BitsAndBytesConfig,
    CompileConfig,
    Fp8Config,
    LoraConfig,
    ModelOffloadConfig,
    RoundedConfig,
    TensorRtConfig,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    Wrap = Callable[[torch.nn.Module], torch.nn.Module]


def build_int8(config: RoundedConfig) -> Wrap:
    return _rounded(config, 8)


def build_int4(config: RoundedConfig) -> Wrap:
    return _rounded(config, 4)


def _rounded(config: RoundedConfig, bits: Any) -> Wrap:
    from vall_e.model.wrappers.quantized_linear import rounded
    from vall_e.training.wrappers.compile_and_lora import unchanged

    if not config.enabled:
        return unchanged
    return partial(rounded, bits=bits, group=config.group, include=config.include)


def build_bitsandbytes(config: BitsAndBytesConfig) -> Wrap:
    """The wrapper raises `UnavailableError` without the package bitsandbytes."""
    from vall_e.training.wrappers.compile_and_lora import unchanged
    from vall_e.training.wrappers.third_party_layers import in_bitsandbytes

    if not (config.linear or config.embedding):
        return unchanged
    return partial(in_bitsandbytes, linear=config.linear, embedding=config.embedding)


def build_fp8(config: Fp8Config) -> Wrap:
    """The wrapper raises `UnavailableError` without the package, or without a suitable GPU."""
    from vall_e.training.wrappers.compile_and_lora import unchanged
    from vall_e.training.wrappers.third_party_layers import in_fp8

    return partial(in_fp8, by=config.by) if config.enabled else unchanged


def build_tensorrt(config: TensorRtConfig) -> Wrap:
    """The wrapper raises `UnavailableError` without the package torch-tensorrt."""
    from vall_e.training.wrappers.compile_and_lora import unchanged
    from vall_e.training.wrappers.third_party_layers import by_tensorrt

    return partial(by_tensorrt, dynamic=config.dynamic) if config.enabled else unchanged


def build_model_offload(config: ModelOffloadConfig) -> Wrap:
    from vall_e.model.wrappers.device_map import placed

    return partial(placed, devices=config.devices, limits=config.limits, assign=config.assign)


def build_compile(config: CompileConfig) -> Callable[[torch.nn.Module], torch.nn.Module]:
    from vall_e.training.wrappers.compile_and_lora import compiled, unchanged

    return partial(compiled, dynamic=config.dynamic) if config.enabled else unchanged


def build_lora(config: LoraConfig) -> Callable[[torch.nn.Module], torch.nn.Module]:
    from vall_e.model.lora import Terms
    from vall_e.training.wrappers.compile_and_lora import adapted

    return partial(
        adapted,
        terms=Terms(config.rank, config.alpha, config.dropout, config.levels),
        flavour=config.flavour,
        include=config.include,
        exclude=config.exclude,
        embeddings=config.embeddings,
    )


WRAPPERS: tuple[Component[Any], ...] = (
    Component(
        name="compile",
        config=CompileConfig,
        build=build_compile,
        summary="torch.compile of the backbone; the first steps are slow, later ones faster",
        trial=Trial(facts={"tolerance": 1e-5}),
    ),
    Component(
        name="lora",
        config=LoraConfig,
        build=build_lora,
        summary="trains small low-rank matrices on a frozen model: a voice in a file of 1 MB",
        used_in="training",
        paper="https://arxiv.org/abs/2106.09685",
    ),
    Component(
        name="int8",
        config=RoundedConfig,
        build=build_int8,
        summary="8-bit weights for inference: a quarter of the memory",
        used_in="speaking",
        trial=Trial(facts={"tolerance": 0.02}),
    ),
    Component(
        name="int4",
        config=RoundedConfig,
        build=build_int4,
        summary="4-bit weights for inference: an eighth of the memory",
        used_in="speaking",
        trial=Trial(facts={"tolerance": 0.5}),
        paper="https://arxiv.org/abs/2210.17323",
    ),
    Component(
        name="bitsandbytes",
        config=BitsAndBytesConfig,
        build=build_bitsandbytes,
        summary="8-bit linear layers and stable embeddings (package bitsandbytes)",
        used_in="training",
        trial=Trial(facts={"tolerance": 0.1}),
        paper="https://arxiv.org/abs/2208.07339",
    ),
    Component(
        name="fp8",
        config=Fp8Config,
        build=build_fp8,
        summary="fp8 linear layers (package torchao or transformer-engine)",
        used_in="training",
        trial=Trial(facts={"tolerance": 0.2}),
        paper="https://arxiv.org/abs/2209.05433",
    ),
    Component(
        name="tensorrt",
        config=TensorRtConfig,
        build=build_tensorrt,
        summary="the backbone compiled for an NVIDIA GPU (package torch-tensorrt)",
        used_in="speaking",
    ),
    Component(
        name="model-offload",
        config=ModelOffloadConfig,
        build=build_model_offload,
        summary="splits the backbone's layers between several devices",
        used_in="training",
        trial=Trial(options={"devices": ("cpu", "cpu"), "limits": (0.5,)}),
    ),
)
