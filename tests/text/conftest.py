import pytest

from vall_e.text.phonemizers.espeak import Espeak
from vall_e.text.phonemizers.options import EspeakConfig


@pytest.fixture(scope="session")
def espeak():
    return Espeak(EspeakConfig())
