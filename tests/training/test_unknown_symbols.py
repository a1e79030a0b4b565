"""`text.unknown` decides what becomes of symbols that the training data never had."""

import pytest

from vall_e.data.manifest import MANIFEST
from vall_e.errors import TextError


@pytest.fixture
def strange(bench):
    """Held-out data with a symbol that the training data lack."""
    manifest = bench.folder / "held-out" / MANIFEST
    lines = manifest.read_text()
    for word in ("three", "five", "seven", "eight", "nine"):
        lines = lines.replace(word, word.replace("e", "ß"))
    manifest.write_text(lines)
    return bench


def test_an_unknown_symbol_is_refused_where_that_is_asked(strange):
    with pytest.raises(TextError, match="ß"):
        strange.open(sections={"text": {"phonemizer": "none", "unknown": "error"}})


def test_an_unknown_symbol_is_left_out_and_told_by_default(strange, caplog):
    strange.open()
    assert "left out of the texts, as the vocabulary lacks them: 'ß'" in caplog.text
