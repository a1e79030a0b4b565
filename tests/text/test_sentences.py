import pytest
from hypothesis import given
from hypothesis import strategies as st

from vall_e.text.sentences import paragraphs, split


def letters(text):
    return "".join(text.split())


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ("Dr. Smith met Mr. Jones. They left.", ["Dr. Smith met Mr. Jones.", "They left."]),
        ("J. S. Bach wrote it. It is 3.14 long.", ["J. S. Bach wrote it.", "It is 3.14 long."]),
        ("Am 3. Oktober war es. So ist es.", ["Am 3. Oktober war es.", "So ist es."]),
        ("It was I. He left.", ["It was I.", "He left."]),
        ("“Stop!” he said. “Why?” “Because.”", ["“Stop!” he said.", "“Why?”", "“Because.”"]),
        ("the U.S. Army left. Then", ["the U.S. Army left.", "Then"]),
        ("Wait... what? e.g. this.", ["Wait... what? e.g. this."]),
        ("One line\nis wrapped. Here", ["One line is wrapped.", "Here"]),
        ("A heading\n\nA text.", ["A heading", "A text."]),
        ("はい。そうです。", ["はい。", "そうです。"]),
        ("", []),
        (" \n\n ", []),
    ],
)
def test_sentences_are_found(text, sentences):
    assert split(text) == sentences


def test_a_long_sentence_is_cut_at_the_comma_nearest_to_its_middle():
    text = "one two three, four five six seven eight, nine ten"
    assert split(text, max_words=9) == ["one two three,", "four five six seven eight, nine ten"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (
            "The road was closed because the bridge had fallen down",
            ["The road was closed", "because the bridge had fallen down"],
        ),
        (
            "Sie blieb heute zu Hause weil es draußen sehr kalt war",
            ["Sie blieb heute zu Hause", "weil es draußen sehr kalt war"],
        ),
        (
            "He meant it when he left, then came back after all",
            ["He meant it when he left,", "then came back after all"],
        ),
        ("If one two three four five six and", ["If one two three", "four five six and"]),
    ],
)
def test_without_a_comma_it_is_cut_before_a_word_that_joins_clauses(text, pieces):
    assert split(text, max_words=7) == pieces


def test_a_long_sentence_without_commas_is_cut_in_the_middle():
    assert split("one two three four", max_words=3) == ["one two", "three four"]


def test_paragraphs_are_kept_apart():
    assert paragraphs("a\nb\n\n \nc") == ["a b", "c"]


@given(st.text(), st.integers(1, 10))
def test_no_letter_is_lost(text, max_words):
    assert letters("".join(split(text, max_words=max_words))) == letters(text)


@given(st.text(alphabet="ab .,;\n"), st.integers(1, 10))
def test_no_piece_is_too_long_or_empty(text, max_words):
    assert all(1 <= len(piece.split()) <= max_words for piece in split(text, max_words=max_words))


def test_a_piece_has_at_least_one_word():
    with pytest.raises(ValueError, match="max_words is not 0"):
        split("a", max_words=0)
