import pytest

from vall_e.errors import TextError
from vall_e.text.chunks import Chunker


def texts(text, language="en-us", **cut):
    options = {"max_words": 40, "first_words": 0, "pause": 0.5} | cut
    return [chunk for chunk, _ in Chunker(**options)(text, language)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("It was late \N{EN DASH} too late for us", ["It was late—", "too late for us"]),
        ("It was late - too late for us", ["It was late—", "too late for us"]),
        ("It was late, too late for us", ["It was late,", "too late for us"]),
        ("a well-known 5 - 10 range of them", ["a well-known 5 - 10 range of them"]),
    ],
)
def test_the_first_piece_may_end_at_a_dash(text, pieces):
    assert texts(text, first_words=3) == pieces


def test_a_long_sentence_is_cut_at_a_dash():
    text = "one two three four \N{EN DASH} five six seven eight nine"
    assert texts(text, max_words=6) == [
        "one two three four \N{EN DASH}",
        "five six seven eight nine",
    ]


def test_a_sentence_ends_as_its_language_has_it():
    text = "Zum 100. Jubiläum kamen viele."
    assert texts(text, "de") == [text]
    assert texts("I was 42. She was 41.", "en-us") == ["I was 42.", "She was 41."]


def test_a_text_without_words_is_refused():
    with pytest.raises(TextError, match="there is no text to say"):
        texts("…")
