import pytest

from vall_e_judges.word_errors import plain, word_errors


@pytest.mark.parametrize(
    ("text", "recognized"),
    [
        ('It\'s easy -- "to tell"!', "it's easy to tell"),
        ("Don\N{RIGHT SINGLE QUOTATION MARK}t blow-dry the 'cat'.", "don't blow dry the cat"),
        (" 1984 ", ""),
    ],
)
def test_texts_are_compared_as_a_recognizer_writes_them(text, recognized):
    assert plain(text) == recognized


@pytest.mark.parametrize(
    ("recognized", "errors"),
    [
        ("a b c d", 0),
        ("a x c d", 1),
        ("a c d", 1),
        ("a b b c d", 1),
        ("b c d a", 2),
        ("", 4),
        ("x y z x y z", 6),
    ],
)
def test_an_error_is_a_word_replaced_left_out_or_put_in(recognized, errors):
    assert word_errors(["a", "b", "c", "d"], recognized.split()) == errors
    assert word_errors(recognized.split(), ["a", "b", "c", "d"]) == errors
