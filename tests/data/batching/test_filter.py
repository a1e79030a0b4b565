"""Which datasets, and which of their utterances, a run learns from."""

from collections import Counter

import pytest

from vall_e.data.batching.filter import Selection
from vall_e.data.dataset.wildcards import expanded
from vall_e.discovery import registry_of
from vall_e.errors import DataError
from vall_e.interfaces.store import Entry
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset

CODEC = StaircaseCodec(levels=3)
ENTRIES = [
    Entry(f"{speaker}-{number}", speaker, "en", "", "", 1.0, 0, 50)
    for speaker, count in (("books/ann", 9), ("books/bob", 1), ("calls/eva", 3))
    for number in range(count)
]


def chosen(**options):
    left_out = Counter()
    found = list(Selection((0.5, 2.0), {"en": 0}, **options).of(ENTRIES, left_out))
    assert len(found) + sum(left_out.values()) == len(ENTRIES)
    return Counter(entry.speaker for entry in found), left_out, found


@pytest.mark.parametrize(
    ("options", "speakers", "reason"),
    [
        ({}, {"books/ann": 9, "books/bob": 1, "calls/eva": 3}, None),
        ({"least": 2}, {"books/ann": 9, "calls/eva": 3}, "of speakers with under 2"),
        ({"most": 2}, {"books/ann": 2, "books/bob": 1, "calls/eva": 2}, "beyond the 2 of their"),
        ({"speakers": ["books/*"]}, {"books/ann": 9, "books/bob": 1}, "of speakers other than bo"),
        ({"speakers": ["*/b?b", "calls/eva"]}, {"books/bob": 1, "calls/eva": 3}, "other than"),
    ],
    ids=str,
)
def test_speakers_are_chosen_by_name_and_number_and_what_is_left_out_is_counted(
    options, speakers, reason
):
    found, left_out, _ = chosen(**options)
    assert found == speakers
    assert [name for name in left_out if reason in name] == list(left_out)


def test_what_is_taken_of_a_speaker_is_spread_over_all():
    assert [e.id for e in chosen(most=3)[2][:3]] == ["books/ann-0", "books/ann-3", "books/ann-6"]


def test_wildcards_name_the_datasets_that_fit(tmp_path):
    from vall_e import components

    registry = registry_of([components])
    for name in ("b", "a", "deep/c"):
        write_dataset(tmp_path / name, CODEC, utterances=2)
    (tmp_path / "notes.txt").write_text("no dataset")

    def found(*patterns):
        paths = [str(tmp_path / pattern) for pattern in patterns]
        return [
            [str(path.relative_to(tmp_path)) for path in each]
            for each in expanded(paths, registry, option="data.train")
        ]

    assert found("*", "b", "**/c") == [["a", "b"], ["b"], ["deep/c"]]
    assert found("missing") == [["missing"]], "whoever opens it says what is missing"
    with pytest.raises(DataError, match=r"data\.train: of 1 paths that match .*\*\.txt, none is a"):
        found("*.txt")
