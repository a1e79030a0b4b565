"""The contract of any component, built from what the component declares about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType, ModuleType
from typing import Any

import attrs
import torch

from vall_e.errors import DownloadError, PluginError, UnavailableError
from vall_e.registry import HOOKS, Component
from vall_e.testing.contracts.attention import AttentionContract
from vall_e.testing.contracts.audio_effect import AudioEffectContract
from vall_e.testing.contracts.backbone import BackboneContract, D
from vall_e.testing.contracts.codec import CodecContract
from vall_e.testing.contracts.command import CommandContract
from vall_e.testing.contracts.component import ComponentContract
from vall_e.testing.contracts.data_engine import DataEngineContract
from vall_e.testing.contracts.embedder import EmbedderContract
from vall_e.testing.contracts.engine import EngineContract
from vall_e.testing.contracts.exporter import ExporterContract
from vall_e.testing.contracts.judge import JudgeContract
from vall_e.testing.contracts.normalizer import NormalizerContract
from vall_e.testing.contracts.optimizer import OptimizerContract
from vall_e.testing.contracts.phonemizer import PhonemizerContract
from vall_e.testing.contracts.pretrained import ModelContract
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.run import PREFIX, laws_of, try_law
from vall_e.testing.contracts.sampler import SamplerContract
from vall_e.testing.contracts.schedule import ScheduleContract
from vall_e.testing.contracts.store import StoreContract
from vall_e.testing.contracts.strategy import StrategyContract
from vall_e.testing.contracts.task import TaskContract
from vall_e.testing.contracts.tracker import TrackerContract
from vall_e.testing.contracts.transcriber import TranscriberContract
from vall_e.testing.contracts.wrapper import WrapperContract
from vall_e.testing.fakes.plain_attention import PlainKernel

CONTRACTS: Mapping[str, type] = MappingProxyType(
    {
        "backbone": BackboneContract,
        "attention": AttentionContract,
        "codec": CodecContract,
        "sampler": SamplerContract,
        "task": TaskContract,
        "optimizer": OptimizerContract,
        "schedule": ScheduleContract,
        "wrapper": WrapperContract,
        "normalizer": NormalizerContract,
        "phonemizer": PhonemizerContract,
        "engine": EngineContract,
        "tracker": TrackerContract,
        "exporter": ExporterContract,
        "model": ModelContract,
        "judge": JudgeContract,
        "transcriber": TranscriberContract,
        "embedder": EmbedderContract,
        "store": StoreContract,
        "data-engine": DataEngineContract,
        "strategy": StrategyContract,
        "audio-effect": AudioEffectContract,
        "command": CommandContract,
    }
)
"""The contract of each kind."""

SMALL: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "backbone": {"d_model": D, "layers": 2, "heads": 4},
        "optimizer": {"lr": 0.01},
    }
)
"""Options that a component of the kind gets if it has them and its trial does not set them."""


def contract_of(kind: str, component: Component[Any]) -> type:
    """The contract of this kind, with `make` and everything that the component's `trial` sets.

    Subclass it in a test: `class TestDrift(contract_of("backbone", DRIFT)): pass`. A law listed
    in its exceptions must fail, and is then skipped with the reason.
    """
    contract = CONTRACTS[kind]
    trial = component.trial
    _check_names(component, "exceptions", trial.exceptions, _laws(contract))
    _check_names(component, "facts", trial.facts, facts_of(contract))
    namespace: dict[str, Any] = {"component": component, "make": _maker(kind, component)}
    if kind == "wrapper":
        namespace["learns"] = component.used_in != "speaking"
        namespace["speaks"] = component.used_in != "training"
    namespace |= trial.facts
    bases = (contract, ComponentContract)
    whole = type(f"ContractOf{kind.title()}", bases, namespace)
    excepted = {law: _excepted(whole, law, why) for law, why in trial.exceptions.items()}
    return type(whole.__name__, (whole,), excepted)


def contract_tests(plugin: ModuleType) -> dict[str, type]:
    """A class of tests for each component of a module of hooks, by the name of the class.

    A test file takes them all in by `globals().update(contract_tests(components))`.
    """
    found = {}
    for kind, hook in HOOKS.items():
        offer = getattr(plugin, hook, lambda: ())
        for component in offer():
            words = f"{kind}-{component.name}".split("-")
            found["Test" + "".join(word.title() for word in words)] = contract_of(kind, component)
    return found


def _laws(contract: type) -> list[str]:
    return [*laws_of(contract), *laws_of(ComponentContract)]


def facts_of(contract: type) -> list[str]:
    """The attributes of a contract that a component's `trial` may set."""
    return [
        name
        for name, value in vars(contract).items()
        if not name.startswith(("_", PREFIX)) and not callable(value)
    ]


def _check_names(
    component: Component[Any], what: str, named: Mapping[str, object], known: list[str]
) -> None:
    for name in named:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise PluginError(
                f"trial.{what} of {component.name!r} names {name!r}, which its contract does not "
                "have",
                hint=f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}",
            )


def _excepted(whole: type, law: str, why: str) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        finding = try_law(whole, law, why)
        assert finding.status in {"excepted", "skipped"}, finding.reason
        pytest.skip(finding.reason)

    return test


def config_of(kind: str, component: Component[Any]) -> Any:
    """Options of a small instance. Raises `PluginError` if a required one is missing."""
    names = {field.alias or field.name for field in attrs.fields(component.config)}
    small = {key: value for key, value in SMALL.get(kind, {}).items() if key in names}
    try:
        return component.config(**small | dict(component.trial.options))
    except (TypeError, ValueError) as exc:
        raise PluginError(
            f"{kind} {component.name}: cannot be tested with these options: {exc}",
            hint="set the options of a small instance in the component: trial=Trial(options={...})",
        ) from exc


def _maker(kind: str, component: Component[Any]) -> Callable[..., Any]:
    """The contract's `make`; the arguments of `build` besides the config depend on the kind."""

    def make(self: object, **given: Any) -> Any:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            try:
                return component.build(config_of(kind, component), **given)
            except (UnavailableError, DownloadError) as exc:
                pytest.skip(exc.message)

    def make_backbone(self: object) -> Any:
        return make(self, attention=PlainKernel()).eval()

    def make_judge(self: object, case: Any) -> Any:
        return make(self, case=case)

    def make_transcriber(self: object) -> Any:
        return make(self, device="cpu")

    def make_data_engine(self: object) -> Any:
        return make(self, workers=2)

    def make_optimizer(self: object, parameters: Any) -> Any:
        return make(self, parameters=parameters)

    def make_strategy(self: object, model: Any) -> Any:
        return make(self, model=model)

    def make_tracker(self: object, run: Any) -> Any:
        return make(self, run=run)

    special: dict[str, Callable[..., Any]] = {
        "backbone": make_backbone,
        "data-engine": make_data_engine,
        "judge": make_judge,
        "optimizer": make_optimizer,
        "strategy": make_strategy,
        "tracker": make_tracker,
        "transcriber": make_transcriber,
    }
    return special.get(kind, make)
