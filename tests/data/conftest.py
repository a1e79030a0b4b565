import pytest
from attrs import frozen

from vall_e.registry import Component, Offer, Registry
from vall_e.testing import StaircaseCodec


@frozen
class StaircaseConfig:
    """No options."""


@pytest.fixture(scope="session")
def small_registry(registry):
    """With a codec that takes no time, for the commands of a folder: `codec=staircase`."""
    component = Component("staircase", StaircaseConfig, lambda _: StaircaseCodec(), "a test")
    return Registry([*registry.offers, Offer("codec", component, "test", "1.0", "test")])
