import numpy as np
import pytest

import vall_e
from vall_e.embedded.components import build_embedded
from vall_e.embedded.options import EmbeddedModelConfig
from vall_e.synthesis.voice_library import Voices
from vall_e.testing import ModelContract


class TestEmbedded(ModelContract):
    def make(self):
        return build_embedded(EmbeddedModelConfig())


@pytest.fixture(scope="module")
def built_in(tmp_path_factory):
    return vall_e.load(home=tmp_path_factory.mktemp("home"), device="cpu")


def test_every_built_in_voice_can_be_used(built_in):
    entries = Voices().entries()
    assert built_in.default_voice == entries[0].name
    for entry in entries:
        assert entry.licence
        assert entry.text
        voice = built_in.voice(entry.name)
        assert voice.codes.seconds > 2.0  # the longest that level 0 was trained with
        assert voice.transcript == entry.text


@pytest.mark.slow
def test_the_built_in_model_speaks_and_ends(built_in):
    result = built_in.synthesize("Hello.", seed=1)
    assert result.provenance["voice"] == built_in.default_voice
    assert np.abs(result.audio).max() > 0.01
    stream = built_in.stream("Hello.", seed=1)
    assert np.array_equal(np.concatenate([chunk.audio for chunk in stream]), result.audio)
