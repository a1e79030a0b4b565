"""How a component is tried: what it says of itself to its contract. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen


@frozen
class Trial:
    """What `vall-e plugins check` and `vall_e.testing.contract_of` need to know of a component."""

    options: Mapping[str, object] = field(factory=dict)
    """Options of a small one, as Python values. What is not named keeps its default."""
    facts: Mapping[str, object] = field(factory=dict)
    """Attributes of the contract that differ, as `{"reorders": True}` for a sampler."""
    exceptions: Mapping[str, str] = field(factory=dict)
    """Laws that it cannot hold, by the names of their tests, and why. It must break them: one that
    it holds after all fails."""
