"""The table in docs/text.md says the truth."""

import re
from pathlib import Path

import pytest

from vall_e.text.normalizers.options import RulesConfig
from vall_e.text.normalizers.rules import RuleNormalizer

normalize = RuleNormalizer(RulesConfig())

PAGE = (Path(__file__).parents[2] / "docs" / "text.md").read_text()
ROWS = re.findall(r"^\| ([a-z]{2}(?:-[a-z]{2})?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


def test_the_table_is_found():
    assert len(ROWS) > 20


@pytest.mark.parametrize(("language", "written", "spoken"), ROWS)
def test_a_row_is_true(language, written, spoken):
    assert normalize(written, language) == spoken
