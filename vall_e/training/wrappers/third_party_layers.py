"""Linear layers and embeddings of other packages, in place of the model's own."""

from typing import Literal

import torch
from torch import nn

from vall_e.errors import ConfigError
from vall_e.training.optional_imports import package
from vall_e.training.wrappers.fp8_layers import in_transformer_engine


def in_bitsandbytes(model: nn.Module, *, linear: bool, embedding: bool) -> nn.Module:
    """8-bit products (https://arxiv.org/abs/2208.07339); the weights stay in full precision."""
    layers = package("bitsandbytes.nn", needed_by="bitsandbytes", install="vall-e[bitsandbytes]")
    body = getattr(model, "backbone", model)
    for name in _called(body, nn.Linear) if linear else []:
        old = body.get_submodule(name)
        new = layers.Linear8bitLt(
            old.in_features, old.out_features, bias=old.bias is not None, has_fp16_weights=True
        )
        new.weight = layers.Int8Params(
            old.weight.data, has_fp16_weights=True, requires_grad=old.weight.requires_grad
        )
        new.bias = old.bias
        body.set_submodule(name, new)
    for name in _called(model, nn.Embedding) if embedding else []:
        old = model.get_submodule(name)
        new = layers.Embedding(old.num_embeddings, old.embedding_dim, _weight=old.weight.data)
        new.weight.requires_grad_(old.weight.requires_grad)
        model.set_submodule(name, new)
    return model


def in_fp8(model: nn.Module, *, by: Literal["torchao", "transformer-engine"]) -> nn.Module:
    """8-bit floating point products, by one of these packages; weights stay in full precision.

    It uses layers whose sides are multiples of 16. Raises `ConfigError` if there are none.
    """
    body = getattr(model, "backbone", model)
    names = {name for name in _called(body, nn.Linear) if _is_even(body.get_submodule(name))}
    if not names:
        raise ConfigError(
            "fp8: no linear layer of the backbone has sides that are multiples of 16",
            hint="leave out the wrapper, or set model.backbone.d_model to such a number",
        )
    if by == "transformer-engine":
        in_transformer_engine(body, names)
        return model
    module = package("torchao.float8", needed_by="fp8", install="vall-e[fp8]")
    module.convert_to_float8_training(body, module_filter_fn=lambda layer, name: name in names)
    return model


def by_tensorrt(model: nn.Module, *, dynamic: bool) -> nn.Module:
    """Compile the backbone for an NVIDIA GPU, when it first runs."""
    package("torch_tensorrt", needed_by="tensorrt", install="torch-tensorrt")
    body = getattr(model, "backbone", model)
    body.compile(backend="torch_tensorrt", dynamic=dynamic)
    return model


def _called(body: nn.Module, kind: type[nn.Module]) -> list[str]:
    """Names of the modules of exactly this type."""
    return [name for name, module in body.named_modules() if type(module) is kind]


def _is_even(layer: nn.Module) -> bool:
    weight = layer.weight
    return isinstance(weight, torch.Tensor) and all(side % 16 == 0 for side in weight.shape)
