import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vall_e.errors import CheckpointError, TextError
from vall_e.text.vocabulary import BOS, EOS, HEAD, Vocabulary

SMALL = Vocabulary.of("cab")


def test_special_symbols_come_first_and_the_rest_is_sorted():
    assert SMALL.symbols == ("<unk>", "<bos>", "<eos>", "<mask>", "a", "b", "c")


@given(st.lists(st.characters(), unique=True), st.randoms())
def test_order_and_repetition_of_the_alphabet_do_not_matter(alphabet, rng):
    shuffled = alphabet * 2
    rng.shuffle(shuffled)
    assert Vocabulary.of(shuffled) == Vocabulary.of(alphabet)


@given(st.text())
def test_decoding_gives_back_what_was_encoded(text):
    vocabulary = Vocabulary.of(text)
    encoded = vocabulary.encode(text, unknown="error")
    assert (encoded.ids[0], encoded.ids[-1]) == (BOS, EOS)
    assert vocabulary.decode(encoded.ids) == text
    assert not encoded.unknown


@given(st.sets(st.characters(exclude_categories=("Cs",))))
def test_json_gives_back_the_same_vocabulary(alphabet):
    vocabulary = Vocabulary.of(alphabet)
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


def test_an_unknown_symbol_is_counted_and_reported(caplog):
    encoded = SMALL.encode("abxxy", unknown="warn")
    assert encoded.unknown == Counter(x=2, y=1)
    assert SMALL.decode(encoded.ids) == "ab"
    assert "left out 'x' (U+0078) x 2, 'y' (U+0079) x 1" in caplog.text


def test_an_unknown_symbol_can_be_refused():
    with pytest.raises(TextError, match=r"the vocabulary lacks 'x' \(U\+0078\) x 1") as caught:
        SMALL.encode("ax", unknown="error")
    assert "text.unknown: warn" in caught.value.hint


def test_an_id_of_another_vocabulary_is_refused():
    with pytest.raises(TextError, match="no symbol has the id 7: the vocabulary has 7 symbols"):
        SMALL.decode([4, 7])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "the vocabulary is damaged"),
        ("[]", "the vocabulary is damaged"),
        ('{"symbols": 3}', "the vocabulary is damaged"),
        (json.dumps({"symbols": ["a", "b"]}), "a vocabulary starts with <unk>, <bos>"),
        (json.dumps({"symbols": [*HEAD, "a", "a"]}), "these have several: ['a']"),
        (json.dumps({"symbols": [*HEAD, "ab"]}), "these are not: ['ab']"),
        (json.dumps({"symbols": [*HEAD, 1]}), "a symbol is not text"),
    ],
)
def test_a_damaged_vocabulary_is_refused(text, says):
    with pytest.raises(CheckpointError) as caught:
        Vocabulary.from_json(text)
    assert says in caught.value.message
