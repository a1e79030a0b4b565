"""LoRA (Hu et al. 2021, https://arxiv.org/abs/2106.09685): low-rank additions to frozen matrices.

A matrix W (out, in) acts as W + alpha / rank * B A, with A (rank, in) and B (out, rank). B starts
at zero, so a new adapter changes nothing. In a state dict an adapter's tensors stand next to those
of the base, which keep their names: `...q_proj.weight`, `...q_proj.adapters.0.lora_a`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Literal

import torch
from attrs import Attribute, asdict, field, frozen, validators
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import embedding, linear
from torch.nn.utils import parametrize

from vall_e.errors import CheckpointError, ConfigError

OWN = "0"
"""The adapter that a run trains; a weights file holds no other."""
Flavour = Literal["replaced", "parametrized"]


def _is_finite(_: object, attribute: Attribute[float], value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{attribute.name} is {value}")


@frozen
class Terms:
    """Parameters of an adapter, besides its tensors."""

    rank: int = field(validator=[validators.instance_of(int), validators.ge(1)])
    alpha: float = field(validator=[validators.instance_of((int, float)), _is_finite])
    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.le(1)])
    levels: tuple[int, ...] = field(
        default=(), validator=validators.deep_iterable(validators.instance_of(int))
    )
    """The RVQ levels for which it is active; empty: all."""

    @classmethod
    def of(cls, plain: Mapping[str, object]) -> Terms:
        """From the result of `plain`, after JSON. Raises `TypeError` or `ValueError` otherwise."""
        return cls(**{**plain, "levels": tuple(plain["levels"])})  # type: ignore[arg-type]

    def plain(self) -> dict[str, object]:
        """Values for JSON."""
        return asdict(self)


class Predicting:
    """Which level each row of the current pass predicts, as set by the caller of the backbone."""

    def __init__(self) -> None:
        self.levels: tuple[int, ...] | None = None

    @contextmanager
    def __call__(self, levels: Sequence[int]) -> Iterator[None]:
        before, self.levels = self.levels, tuple(levels)
        try:
            yield
        finally:
            self.levels = before


class Adapter(nn.Module):
    """The matrices A and B of one layer. `strength` can change at run time; 0 switches it off."""

    def __init__(self, weight: Float[Tensor, "o i"], terms: Terms, predicting: Predicting) -> None:
        super().__init__()
        self.terms = terms
        self.strength = 1.0
        self.predicting = predicting
        self.dropout = nn.Dropout(terms.dropout)
        self.lora_a = nn.Parameter(weight.new_empty(terms.rank, weight.shape[1]))
        self.lora_b = nn.Parameter(weight.new_zeros(weight.shape[0], terms.rank))
        nn.init.kaiming_uniform_(self.lora_a, a=5**0.5)

    def onto(self, out: Float[Tensor, "*n o"], x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:
        """W x plus the adapter's contribution."""
        factor = self._factor(x.ndim)
        if factor is None:
            return out
        added: Tensor = linear(linear(self.dropout(x), self.lora_a), self.lora_b)
        return out + added * factor

    def rows(self, ids: Tensor) -> Tensor:
        """What is added to these rows of W."""
        found: Tensor = self.dropout(embedding(ids, self.lora_b) @ self.lora_a)
        return found * self._scale()

    def delta(self) -> Float[Tensor, "o i"]:
        """What is added to W. Dropout leaves out columns, as if it left out inputs."""
        kept = self.dropout(self.lora_a.new_ones(1, self.lora_a.shape[1]))
        product: Tensor = self.lora_b @ (self.lora_a * kept)
        return product * self._scale()

    def _scale(self) -> float:
        return self.terms.alpha / self.terms.rank * self.strength

    def _factor(self, dimensions: int) -> float | Tensor | None:
        """The scale of each row: None if all are zero."""
        if not self.strength:
            return None
        if not self.terms.levels:
            return self._scale()
        if self.predicting.levels is None:
            raise RuntimeError(
                "a LoRA with levels must know what a pass predicts: wrap the pass in "
                "`model.predicting(levels)` (recomputing in the backward pass cannot)"
            )
        on = [level in self.terms.levels for level in self.predicting.levels]
        if all(on):
            return self._scale()
        if not any(on) and not torch.is_grad_enabled():  # a backward pass needs a path through it
            return None
        shape = (-1, *(1,) * (dimensions - 1))
        return torch.tensor(on, device=self.lora_a.device).view(shape) * self._scale()


class AdaptedLinear(nn.Linear):
    """A linear layer with adapters on its weight."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__(layer.in_features, layer.out_features, layer.bias is not None, "meta")
        self.weight = layer.weight
        if layer.bias is not None:
            self.bias = layer.bias
        self.adapters = nn.ModuleDict()

    def forward(self, x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:
        out = super().forward(x)
        for adapter in _beside(self).values():
            out = adapter.onto(out, x)
        return out

    def plain(self) -> nn.Linear:
        """The layer without adapters, with the same weight."""
        shape = (self.in_features, self.out_features)
        layer = nn.Linear(*shape, bias=self.bias is not None, device="meta")
        layer.weight = self.weight
        if self.bias is not None:
            layer.bias = self.bias
        return layer


class AdaptedEmbedding(nn.Embedding):
    """An embedding table with adapters on its weight."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__(table.num_embeddings, table.embedding_dim, device="meta")
        self.weight = table.weight
        self.adapters = nn.ModuleDict()

    def forward(self, ids: Tensor) -> Tensor:
        out = super().forward(ids)
        for adapter in _beside(self).values():
            out = out + adapter.rows(ids)
        return out

    def plain(self) -> nn.Embedding:
        """The table without adapters, with the same weight."""
        table = nn.Embedding(self.num_embeddings, self.embedding_dim, device="meta")
        table.weight = self.weight
        return table


class _Sum(nn.Module):
    """The parametrization of a weight: the base and its adapter."""

    def __init__(self, adapter: Adapter) -> None:
        super().__init__()
        self.adapter = adapter

    def forward(self, weight: Float[Tensor, "o i"]) -> Float[Tensor, "o i"]:
        return weight + self.adapter.delta()


def places(
    model: nn.Module,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    embeddings: bool = False,
) -> list[str]:
    """The modules to adapt, by name. Patterns are those of a shell, as `backbone.*.self_attn.*`.

    Without `include`: those that the backbone names in `lora_targets`, or else all its linear
    layers. Embeddings and heads are included only with `embeddings`. Raises `ConfigError` for a
    pattern without a match, and if nothing is left.
    """
    prefix = "backbone." if hasattr(model, "backbone") else ""
    targets = getattr(getattr(model, "backbone", model), "lora_targets", ("*",))
    kinds = (nn.Linear, nn.Embedding)
    layers = [name for name, module in model.named_modules() if isinstance(module, kinds)]
    body = [name for name in layers if name.startswith(prefix)]
    _require_fitting("include", include, body)
    _require_fitting("exclude", exclude, layers)
    wanted = include or [prefix + target for target in targets]
    found = [name for name in body if _fits(name, wanted)]
    found += [name for name in layers if embeddings and name not in body]
    found = [name for name in found if not _fits(name, exclude)]
    if not found:
        raise ConfigError("lora: no linear layer is selected", hint="change include and exclude")
    return found


def attach(
    model: nn.Module,
    names: Sequence[str],
    terms: Terms,
    *,
    key: str = OWN,
    flavour: Flavour = "replaced",
) -> None:
    """Add a new adapter to each of these modules, in place."""
    predicting = getattr(model, "predicting", None) or Predicting()
    for name in names:
        module = model.get_submodule(name)
        if not isinstance(module, (nn.Linear, nn.Embedding)):
            raise CheckpointError(
                f"{name} is a {type(module).__name__}, which does not support LoRA",
                hint="load the base in floating point, as it was trained",
            )
        adapter = Adapter(module.weight, terms, predicting)
        if flavour == "parametrized":
            _parametrize(module, adapter)
            continue
        if not isinstance(module, (AdaptedLinear, AdaptedEmbedding)):
            module = (
                AdaptedLinear(module) if isinstance(module, nn.Linear) else AdaptedEmbedding(module)
            )
            model.set_submodule(name, module)
        module.adapters[key] = adapter


def adapters(model: nn.Module, key: str = OWN) -> dict[str, Adapter]:
    """The adapters of one key, by the names of their modules."""
    found: dict[str, Adapter] = {}
    for name, module in model.named_modules():
        if isinstance(module, (AdaptedLinear, AdaptedEmbedding)) and key in module.adapters:
            found[name] = _beside(module)[key]
        elif isinstance(module, _Sum) and key == OWN:
            found[name.removesuffix(".parametrizations.weight.0")] = module.adapter
    return found


def terms_of(model: nn.Module) -> Terms | None:
    """The terms of the adapter that was trained with this model; None if there is none."""
    return next((adapter.terms for adapter in adapters(model).values()), None)


def detach(model: nn.Module, key: str) -> None:
    """Remove the adapters of one key."""
    for name in adapters(model, key):
        module = model.get_submodule(name)
        if isinstance(module, (AdaptedLinear, AdaptedEmbedding)):
            del module.adapters[key]
            if not len(module.adapters):
                model.set_submodule(name, module.plain())


@torch.no_grad()
def merge(model: nn.Module, *, levels: int) -> None:
    """Add all adapters, at their strength, to the weights of a model with this many levels.

    Raises `CheckpointError` for one that is active for some levels only: a weight serves all.
    """
    adapted = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, (AdaptedLinear, AdaptedEmbedding))
    }
    ready = [a for module in adapted.values() for a in _beside(module).values()]
    some = next((a.terms for a in ready if not _for_all(a.terms, levels)), None)
    if some:
        raise CheckpointError(
            f"a LoRA for the levels {list(some.levels)} cannot be merged into weights for all",
            hint="use it unmerged, as `loras=`",
        )
    for name, module in adapted.items():
        total = module.weight.float() + sum(a.delta().float() for a in _beside(module).values())
        plain = module.plain()
        plain.weight = nn.Parameter(total.to(module.weight.dtype))
        model.set_submodule(name, plain)


def is_adapter(key: str) -> bool:
    """Whether a state dict key belongs to an adapter, not to the base."""
    return ".adapters." in key


def _beside(module: AdaptedLinear | AdaptedEmbedding) -> dict[str, Adapter]:
    """Its adapters by key."""
    return {key: a for key, a in module.adapters.items() if isinstance(a, Adapter)}


def _for_all(terms: Terms, levels: int) -> bool:
    return not terms.levels or set(range(levels)) <= set(terms.levels)


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _require_fitting(option: str, patterns: Sequence[str], names: Sequence[str]) -> None:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ConfigError(
                f"lora.{option}: {pattern!r} matches no layer",
                hint=f"layers are named like {', '.join(names[:3])}",
            )


_STORED = (
    ("parametrizations.weight.original", "weight"),
    ("parametrizations.weight.0.adapter.", f"adapters.{OWN}."),
)
"""What torch calls the tensors of a parametrized module, and their names in files."""


def _parametrize(module: nn.Module, adapter: Adapter) -> None:
    """Both flavours write and read the same state dict keys."""
    parametrize.register_parametrization(module, "weight", _Sum(adapter))
    module.register_state_dict_post_hook(  # type: ignore[no-untyped-call]
        _write_stored_names
    )
    module.register_load_state_dict_pre_hook(  # type: ignore[no-untyped-call]
        _read_stored_names
    )


def _write_stored_names(
    module: nn.Module, state: dict[str, Tensor], prefix: str, metadata: object
) -> None:
    # All keys of the module are inserted again, so that their order is that of the plain module.
    own = {key: state.pop(key) for key in list(state) if key.startswith(prefix)}
    renamed = {prefix + _renamed(key[len(prefix) :]): value for key, value in own.items()}
    weight = prefix + "weight"
    state[weight] = renamed.pop(weight)
    state.update(renamed)


def _read_stored_names(
    module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object
) -> None:
    for key in [key for key in state if key.startswith(prefix)]:
        state[prefix + _renamed(key[len(prefix) :], back=True)] = state.pop(key)


def _renamed(name: str, *, back: bool = False) -> str:
    for theirs, ours in _STORED:
        before, after = (ours, theirs) if back else (theirs, ours)
        if name == before or (before.endswith(".") and name.startswith(before)):
            return after + name[len(before) :]
    return name
