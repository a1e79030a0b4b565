"""Builds components of plugins, and says which plugin it was if that goes wrong. No torch here."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from attrs import Attribute, fields, frozen

from vall_e.errors import PluginError, VallEError

log = logging.getLogger(__name__)


@frozen
class PluginBuild:
    """Calls a plugin's `build`. A `PluginError` names component and plugin if it fails.

    Errors of ours pass unchanged. What it changed in torch for the whole process is set back, and
    reported.
    """

    build: Callable[..., Any]
    component: str
    plugin: str

    def __call__(self, *args: Any, **given: Any) -> Any:
        torch = _torch()
        before = TorchState.of(torch) if torch else None
        try:
            built = self.build(*args, **given)
        except VallEError:
            raise
        except (Exception, SystemExit) as exc:
            what = "tried to end the program" if isinstance(exc, SystemExit) else "failed"
            raise PluginError(
                f"building {self.component!r} of the plugin {self.plugin} {what}: "
                f"{type(exc).__name__}: {exc}",
                hint="report this to its authors; `vall-e -vv` prints where it happened",
            ) from exc
        finally:
            self._restore(before)
        if built is None:
            raise PluginError(
                f"building {self.component!r} of the plugin {self.plugin} gave None",
                hint="report this to its authors: `build` must return the component",
            )
        return built

    def _restore(self, before: TorchState | None) -> None:
        torch = _torch()
        if torch is None:
            return
        now = TorchState.of(torch)
        wanted = before or TorchState.after_import(torch)
        changed = [each.name for each in fields(TorchState) if _of(now, each) != _of(wanted, each)]
        if changed:
            wanted.restore(torch)
            log.warning(
                "building %r of the plugin %s changed the %s of all of torch; it was set back",
                self.component,
                self.plugin,
                ", ".join(name.replace("_", " ") for name in changed),
            )


@frozen
class TorchState:
    """What holds in torch for the whole process."""

    default_dtype: object
    default_device: object
    gradient_mode: bool
    deterministic_mode: bool
    number_of_threads: int

    @classmethod
    def of(cls, torch: ModuleType) -> TorchState:
        return cls(
            torch.get_default_dtype(),
            torch.get_default_device(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_num_threads(),
        )

    @classmethod
    def after_import(cls, torch: ModuleType) -> TorchState:
        """As it is when torch has just been imported; the number of threads is not known."""
        return cls(torch.float32, torch.device("cpu"), True, False, torch.get_num_threads())

    def restore(self, torch: ModuleType) -> None:
        torch.set_default_dtype(self.default_dtype)
        torch.set_default_device(self.default_device)
        torch.set_grad_enabled(self.gradient_mode)
        torch.use_deterministic_algorithms(self.deterministic_mode)
        torch.set_num_threads(self.number_of_threads)


def _of(state: TorchState, field: Attribute[object]) -> object:
    return getattr(state, field.name)


def _torch() -> ModuleType | None:
    """Torch, if it is imported."""
    return sys.modules.get("torch")
