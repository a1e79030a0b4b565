"""docs/interfaces.md is what the code says."""

import importlib.util
import inspect
from pathlib import Path

import pytest

from vall_e import plugin
from vall_e.registry import HOOKS

SCRIPT = Path(__file__).parents[1] / "tools" / "interfaces_page.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("interfaces_page", SCRIPT)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def test_the_page_is_not_stale(tool):
    written = tool.PAGE.read_text(encoding="utf-8")
    assert written == tool.page(), "run `python tools/interfaces_page.py`"


def test_every_interface_that_a_plugin_can_import_is_on_the_page(tool):
    shown = {name for names in tool.INTERFACES.values() for name in names}
    offered = {
        name
        for name in plugin.__all__
        if inspect.isclass(each := getattr(plugin, name))
        and each.__module__.startswith("vall_e.interfaces")
    }
    assert offered - shown == {"Trial"}
    assert set(tool.INTERFACES) <= set(HOOKS)


class Whole:
    """A class."""

    size: int = 1
    """Its size."""
    _hidden: int = 2
    """Nobody's business."""

    def told(self, more: int) -> int:
        """A method."""
        return more + self.size

    def untold(self) -> int:
        return self._secret()

    def _secret(self) -> int:
        return 1


OUTLINE = '''\
class Whole:
    """A class."""

    size: int = 1
    """Its size."""

    def told(self, more: int) -> int:
        """A method."""
        ...

    def untold(self) -> int:
        ...'''


def test_an_outline_has_no_bodies_and_nothing_private(tool):
    assert tool.outline(Whole) == OUTLINE
