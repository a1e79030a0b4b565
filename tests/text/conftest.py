import pytest

from vall_e.text.espeak import Espeak
from vall_e.text.options import EspeakConfig


@pytest.fixture(scope="session")
def espeak():
    return Espeak(EspeakConfig())
