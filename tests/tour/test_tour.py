"""The guided tour of the code is the way that a real run takes."""

import re
from pathlib import Path

import pytest
from follow_run import SPEECH, TRAINING, follow, learn, speak

PAGE = Path(__file__).parents[2] / "docs" / "tour.md"


@pytest.fixture(scope="module")
def speech():
    return follow(speak, SPEECH)


@pytest.fixture(scope="module")
def training():
    return follow(learn, TRAINING)


def _tour(title):
    """The files that a section of the page lists."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2]
    return re.findall(r"^\d+\. `(vall_e/\S+\.py)`", section.partition("\n## ")[0], re.MULTILINE)


@pytest.mark.slow
def test_a_sentence_takes_few_files_and_few_types_from_the_command_line_to_sound(speech):
    assert len(speech.files) <= 11, speech.files
    assert len(speech.types) <= 12, speech.types


@pytest.mark.slow
def test_a_batch_takes_few_files_from_a_dataset_to_the_loss(training):
    assert len(training.files) <= 12, training.files


@pytest.mark.slow
@pytest.mark.parametrize(
    ("title", "followed"),
    [("From text to sound", "speech"), ("From a dataset to the loss", "training")],
)
def test_the_tour_names_the_files_of_the_run_and_no_others(title, followed, request):
    assert sorted(_tour(title)) == sorted(request.getfixturevalue(followed).files)
