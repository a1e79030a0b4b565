import pytest
from attrs import define, field

from vall_e.testing.contracts.run import laws_of, try_law


@define
class Verdict:
    """What a contract says of a component, by the names of its tests."""

    passed: set[str] = field(factory=set)
    failed: set[str] = field(factory=set)
    skipped: dict[str, str] = field(factory=dict)


@pytest.fixture
def judge():
    """Run the tests of a contract (or one), each with all its parameters, as pytest would."""

    def run(contract: type, make, *, only: str = "test_", **fields) -> Verdict:
        subclass = type("Judged", (contract,), {"make": staticmethod(make), **fields})
        verdict = Verdict()
        for law in (name for name in laws_of(subclass) if name.startswith(only)):
            finding = try_law(subclass, law)
            if finding.status == "skipped":
                verdict.skipped[law] = finding.reason
            else:
                (verdict.failed if finding.status == "fails" else verdict.passed).add(law)
        return verdict

    return run
