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


class ComponentContract:
    """`component` is what a hook returns; `contract_of` brings these laws along."""

    component: ClassVar[Component[Any]]

    def test_a_summary_says_what_it_is_in_a_line(self) -> None:
        assert self.component.summary.strip()
        assert "\n" not in self.component.summary

    def test_states_the_licence_of_its_code(self) -> None:
        assert self.component.code_license.strip()

    def test_its_options_survive_a_yaml_file(self) -> None:
        config = self._config()
        again = Structurer(discover(load_plugins=False)).structure(
            unstructure(config), self.component.config
        )
        assert again == config

    def test_an_option_that_it_does_not_have_is_refused(self) -> None:
        raw = {**unstructure(self._config()), "no_such_option": 1}
        with pytest.raises(WrongValueError):
            Structurer(discover(load_plugins=False)).structure(raw, self.component.config)

    def test_its_options_can_be_sent_to_another_process(self) -> None:
        config = self._config()
        assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301  our own

    def test_it_can_be_sent_to_another_process(self) -> None:
        """As workers that load data are: `build` must be a function of a module, no lambda."""
        again = pickle.loads(pickle.dumps(self.component))  # noqa: S301  our own
        assert (again.name, again.config) == (self.component.name, self.component.config)

    def test_finding_it_imports_no_torch(self) -> None:
        module = sys.modules[self.component.config.__module__]
        if module.__spec__ is None:
            pytest.skip("its config class is in a script")
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
        assert not run.returncode, run.stderr or "torch is imported: do that in `build`"

    def _config(self) -> Any:
        trial = self.component.trial
        given = {key: trial.options[key] for key in trial.options if key in self._names()}
        return self.component.config(**given)

    def _names(self) -> set[str]:
        return {field.alias or field.name for field in attrs.fields(self.component.config)}
