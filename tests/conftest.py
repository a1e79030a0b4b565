import pytest

from vall_e.registry import Registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Everything that is installed: the built-in components, as a user has them."""
    return Registry.discover()
