import inspect
from itertools import product

import pytest
from attrs import define, field


@define
class Verdict:
    """What a contract says of a component, by the names of its tests."""

    passed: set[str] = field(factory=set)
    failed: set[str] = field(factory=set)
    skipped: dict[str, str] = field(factory=dict)


@pytest.fixture
def judge(tmp_path_factory):
    """Run the tests of a contract (or one), each with all its parameters, as pytest would."""

    def run(contract: type, make, *, only: str = "test_", **fields) -> Verdict:
        subclass = type("Judged", (contract,), {"make": staticmethod(make), **fields})
        verdict = Verdict()
        for name, test in inspect.getmembers(subclass, inspect.isfunction):
            if name.startswith(only):
                for arguments in _parameters(test):
                    _run(verdict, subclass(), name, arguments, tmp_path_factory)
        return verdict

    return run


def _parameters(test) -> list[dict[str, object]]:
    marks = [m for m in getattr(test, "pytestmark", []) if m.name == "parametrize"]
    axes = []
    for mark in marks:
        names, values = mark.args
        if isinstance(names, str):
            names, values = (names,), [(value,) for value in values]
        axes.append([dict(zip(names, value, strict=True)) for value in values])
    return [{k: v for part in parts for k, v in part.items()} for parts in product(*axes)]


def _run(verdict: Verdict, instance, name: str, arguments, tmp_path_factory) -> None:
    wanted = inspect.signature(getattr(instance, name)).parameters
    if "tmp_path" in wanted:
        arguments = {**arguments, "tmp_path": tmp_path_factory.mktemp("contract")}
    if "bundle" in wanted:
        arguments = {**arguments, "bundle": instance.make_bundle()}
    try:
        getattr(instance, name)(**arguments)
    except pytest.skip.Exception as skipped:
        verdict.skipped[name] = str(skipped)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever it raises, it is refused
        verdict.failed.add(name)
    else:
        verdict.passed.add(name)
