"""No law of a contract is there for nothing: for each there is a component that it refuses."""

import re
from pathlib import Path

import pytest

from vall_e.testing import LayeredContract
from vall_e.testing.contracts.any_component import CONTRACTS
from vall_e.testing.contracts.component import ComponentContract
from vall_e.testing.contracts.run import laws_of

NAMED = tuple(
    name
    for path in Path(__file__).parent.glob("test_*_contract*.py")
    for name in re.findall(r'"(test_\w+)"', path.read_text())
)
ELSEWHERE = {"codec"}  # tests/codecs/test_contract.py


@pytest.mark.parametrize("kind", [*sorted(CONTRACTS.keys() - ELSEWHERE), "layered", "component"])
def test_every_law_has_a_component_that_it_refuses(kind):
    more = {"layered": LayeredContract, "component": ComponentContract}
    laws = laws_of({**CONTRACTS, **more}[kind])
    assert [law for law in laws if not law.startswith(NAMED)] == []
