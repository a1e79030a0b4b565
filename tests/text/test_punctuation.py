import pytest

from vall_e.text.punctuation import clauses, unify


@pytest.mark.parametrize(
    ("written", "one_spelling"),
    [
        ("a  b\n\tc", "a b c"),
        ("wait...", "wait…"),
        ("wait . . . what", "wait … what"),
        ("no -- yes", "no — yes"),
        ("no - yes", "no — yes"),
        ("well-known", "well-known"),
        ("what?!", "what?!"),
        ("what!!!", "what!"),
        ("はい。そう", "はい. そう"),
        ("a\x00b", "a b"),
        ("zero\u200bwidth", "zerowidth"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_one_spelling_for_all(written, one_spelling):
    assert unify(written) == one_spelling


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, world!", [("Hello", ","), ("world", "!")]),
        ("3.14 at 10:30.", [("3.14 at 10:30", ".")]),
        ('"Well," he said', [('"Well', ","), ('" he said', "")]),
        ("no—yes", [("no", "—"), ("yes", "")]),
        ("… well", [("", "…"), ("well", "")]),
        ("what?!", [("what", "?!")]),
        ("", []),
    ],
)
def test_text_is_cut_at_its_marks(text, expected):
    assert clauses(text) == expected
