"""How a component is tested: the facts that it gives its contract. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen


@frozen
class Trial:
    """What `vall-e plugins check` and `vall_e.testing.contract_of` need to know of a component."""

    options: Mapping[str, object] = field(factory=dict)
    """Options of a small instance, as Python values. Others keep their default."""
    facts: Mapping[str, object] = field(factory=dict)
    """Attributes of the contract to override, as `{"reorders": True}` for a sampler."""
    exceptions: Mapping[str, str] = field(factory=dict)
    """Laws that it cannot satisfy, by the names of their tests, with the reason. Each must indeed
    fail: one that passes after all is reported as a failure."""
