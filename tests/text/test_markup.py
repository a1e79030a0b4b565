import pytest
from hypothesis import given
from hypothesis import strategies as st

from vall_e.text.markup import without_markup

MARKED = {
    "**bold**, *slanted* and ~~gone~~": "bold, slanted and gone",
    "__bold__, _slanted_ and `code`": "bold, slanted and code",
    "***both*** at once": "both at once",
    "a **bold\nline** break": "a bold\nline break",
    "# Heading": "Heading.",
    "## Is it? ##": "Is it?",
    "[link](http://x.y), ![image](a.png 'title')": "link, image",
    "see <https://x.y/z>": "see https://x.y/z",
    "- one\n- two!\n* three": "one.\n\n\ntwo!\n\n\nthree.",
    "- [x] done": "done.",
    "> quoted\n> twice": "quoted\ntwice",
    "| a | b |\n|---|:-:|\n| c | d |": "a, b.\n\nc, d.",
    "```python\ncode\n```": "code",
    "above\n\n---\n\nbelow": "above\n\n\n\nbelow",
    r"\*no\* list": "*no* list",
}
PLAIN = [
    "5*3*2 and 5 * 3", "snake_case_name and __init", "#5 and #tag", "- 5 degrees", "a - b", "C#",
    "f(x) [1]", "1. One", "**", "he said *", "2 < 3 > 1", "a|b", "well-known",
]  # fmt: skip


@pytest.mark.parametrize("text", MARKED)
def test_the_signs_are_gone(text):
    assert without_markup(text) == MARKED[text]


@pytest.mark.parametrize("text", PLAIN)
def test_what_only_looks_like_it_stays(text):
    assert without_markup(text) == text


SPOKEN = {
    "**bold** word": "bold word",
    "# Title here": "Title here.",
    "- item one\n- item two": "item one. item two.",
}


@pytest.mark.parametrize("language", ["en-us", "de", "fr-fr", "es"])
@pytest.mark.parametrize("text", SPOKEN)
def test_no_sign_is_read_aloud(espeak, language, text):
    assert espeak(without_markup(text), language) == espeak(SPOKEN[text], language)


def test_a_pronunciation_is_a_link_unless_it_is_kept():
    text = "[Nguyen](/ŋwˈiən/) and [more](http://x.y)"
    assert without_markup(text) == "Nguyen and more"
    assert without_markup(text, keep_phonemes=True) == "[Nguyen](/ŋwˈiən/) and more"


@given(text=st.text(alphabet="ab*_`#[]()>-| \n~\\1."))
def test_letters_stay_in_order(text):
    def letters(text):
        return [char for char in text if char in "ab"]

    kept = letters(without_markup(text))
    assert len(kept) <= len(letters(text))


@pytest.mark.parametrize("sign", ["*a ", "_a ", "[", "[a](", "`a", "~~a", "- a\n", "\n", "|", "> "])
def test_a_long_text_takes_no_longer_than_it_should(sign):
    without_markup(sign * 10_000)
