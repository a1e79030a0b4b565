"""The guided tour of the code is the way that a real run takes."""

import re
from pathlib import Path

import pytest
from follow_run import follow, speak

PAGE = Path(__file__).parents[2] / "docs" / "tour.md"
MOST_FILES, MOST_TYPES = 11, 12


@pytest.fixture(scope="module")
def followed():
    return follow(speak)


@pytest.mark.slow
def test_a_sentence_takes_few_files_and_few_types_from_the_command_line_to_sound(followed):
    assert len(followed.files) <= MOST_FILES, followed.files
    assert len(followed.types) <= MOST_TYPES, followed.types


@pytest.mark.slow
def test_the_tour_names_the_files_of_a_sentence_and_no_others(followed):
    section = PAGE.read_text().partition("## From text to sound")[2].partition("\n## ")[0]
    assert re.findall(r"^\d+\. `(vall_e/\S+\.py)`", section, re.MULTILINE) == list(followed.files)
