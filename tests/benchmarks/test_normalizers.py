from pathlib import Path

import pytest

from vall_e.benchmarks.normalizers import ListedText, read_cases, right, run
from vall_e.errors import DataError

LIST = Path(__file__).parents[2] / "examples" / "text" / "normalization-en.tsv"


def test_the_rules_read_the_whole_list():
    lines = list(run(LIST, ["rules"], "en-us", wrong=True))
    assert lines[-1].startswith("| all | 63 | 63 |"), lines[-5:]


@pytest.mark.parametrize(
    ("spoken", "is_right"),
    [("One hundred and five.", True), ("a hundred-five", True), ("five hundred", False)],
)
def test_marks_case_and_and_do_not_count(spoken, is_right):
    case = ListedText("numbers", "105", ("one hundred five", "a hundred five"))
    assert right(case, spoken) is is_right


def test_a_line_of_two_columns_is_refused(tmp_path):
    path = tmp_path / "list.tsv"
    path.write_text("# a list\nnumbers\t5\n")
    with pytest.raises(DataError, match="line 2: 2 columns instead of 3"):
        read_cases(path)
