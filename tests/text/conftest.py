import pytest

from vall_e.text.components import EspeakConfig
from vall_e.text.espeak import Espeak


@pytest.fixture(scope="session")
def espeak():
    return Espeak(EspeakConfig())
