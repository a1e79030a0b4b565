"""What the core relies on in every component, whatever its kind."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any, ClassVar

import attrs

from vall_e.config.errors import WrongValueError
from vall_e.config.structure import Structurer, unstructure
from vall_e.discovery import discover
from vall_e.registry import Component
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_error


class ComponentContract:
    """`component` is what a hook returns; `contract_of` adds these laws."""

    component: ClassVar[Component[Any]]

    def test_its_summary_is_one_line(self) -> None:
        assert self.component.summary.strip(), "`summary` is empty: describe the component"
        assert "\n" not in self.component.summary, "`summary` has several lines: use one"

    def test_states_the_licence_of_its_code(self) -> None:
        assert self.component.code_license.strip(), "`code_license` is empty: name the licence"

    def test_its_options_survive_a_yaml_file(self) -> None:
        config = self._config()
        again = Structurer(discover(load_plugins=False)).structure(
            unstructure(config), self.component.config
        )
        assert again == config, f"after a YAML file the options are {again}, not {config}"

    def test_an_unknown_option_is_refused(self) -> None:
        raw = {**unstructure(self._config()), "no_such_option": 1}
        message = "an unknown option is accepted: the config class must be an attrs class"
        with require_error(WrongValueError, message):
            Structurer(discover(load_plugins=False)).structure(raw, self.component.config)

    def test_its_options_can_be_sent_to_another_process(self) -> None:
        config = self._config()
        again = pickle.loads(pickle.dumps(config))  # noqa: S301  our own
        assert again == config, f"after pickling the options are {again}, not {config}"

    def test_it_can_be_sent_to_another_process(self) -> None:
        """As data loader workers need it: `build` must be a module-level function, not a lambda."""
        again = pickle.loads(pickle.dumps(self.component))  # noqa: S301  our own
        assert (again.name, again.config) == (self.component.name, self.component.config), (
            "after pickling it has another name or config class"
        )

    def test_discovery_does_not_import_torch(self) -> None:
        module = sys.modules[self.component.config.__module__]
        if module.__spec__ is None:
            pytest.skip("its config class is defined in a script")
        code = f"import sys, importlib; importlib.import_module({module.__name__!r}); "
        code += "sys.exit('torch' in sys.modules)"
        path = [part or "." for part in sys.path]
        run = subprocess.run(  # noqa: S603  our own
            [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}; {code}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not run.returncode, (
            run.stderr or f"{module.__name__} imports torch: import it inside `build`"
        )

    def _config(self) -> Any:
        trial = self.component.trial
        given = {key: trial.options[key] for key in trial.options if key in self._names()}
        return self.component.config(**given)

    def _names(self) -> set[str]:
        return {field.alias or field.name for field in attrs.fields(self.component.config)}
