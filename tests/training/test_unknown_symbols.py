"""`text.unknown` decides what becomes of symbols that the training data never had."""

import pytest

from vall_e.data.dataset.manifest import MANIFEST
from vall_e.errors import TextError
from vall_e.weights.locate import find_weights

STRICT = {"phonemizer": "none", "unknown": "error"}


def _estrange(folder):
    """Put a symbol there that the training data lack."""
    manifest = folder / MANIFEST
    lines = manifest.read_text()
    for word in ("three", "five", "seven", "eight", "nine"):
        lines = lines.replace(word, word.replace("e", "ß"))
    manifest.write_text(lines)


@pytest.fixture
def strange(bench):
    """A symbol in the held-out data."""
    _estrange(bench.folder / "held-out")
    return bench


def test_an_unknown_symbol_is_refused_where_that_is_asked(strange):
    with pytest.raises(TextError, match="ß"):
        strange.open(sections={"text": STRICT})


def test_an_unknown_symbol_is_left_out_and_reported_by_default(strange, caplog):
    strange.open()
    assert "left out of the texts, since the vocabulary lacks them: 'ß'" in caplog.text


def test_so_is_one_that_the_weights_to_start_from_lack(bench):
    bench.train("first", commands="quit@2")
    weights = str(find_weights(bench.folder / "first"))
    _estrange(bench.folder / "data")
    with pytest.raises(TextError, match="ß"):
        bench.open("second", start_from=weights, sections={"text": STRICT})
