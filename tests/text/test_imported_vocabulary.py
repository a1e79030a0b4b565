import pytest

from vall_e.errors import CheckpointError
from vall_e.text.bpe_merges import Merges
from vall_e.text.imported_vocabulary import adopt, read_tokenizer, their_ids
from vall_e.text.symbol_splitter import Glued
from vall_e.text.vocabulary import HEAD, Vocabulary

IDS = {"<unk>": 0, "<bos>": 1, "</eos>": 2, "<mask>": 3, " ": 4, "a": 5, "ç": 6, "c": 7, "u": 8}


def test_the_most_urgent_pair_is_joined_first_and_the_leftmost_of_equals():
    merges = Merges((("b", "c"), ("a", "b"), ("a", "a"), ("aa", "a")))
    assert merges("abc") == ["a", "bc"]
    assert merges("aaaa") == ["aa", "aa"]
    assert merges("aaa") == ["aaa"]
    assert merges("") == []


def test_symbols_may_share_an_id():
    vocabulary = adopt({**IDS, "ø": 8}, 10)
    assert vocabulary.encode("u ø", unknown="error").ids == [1, 8, 4, 8, 2]
    assert vocabulary.decode([8, 4, 8]) == "u u"


def test_a_letter_and_its_mark_are_one_symbol_where_it_is_known():
    vocabulary = adopt(IDS, 10)
    assert vocabulary.encode("c\u0327", unknown="error").ids == [1, 6, 2]
    assert vocabulary.encode("a\u0303", unknown="warn").ids == [1, 5, 2]


def test_json_gives_back_the_same_vocabulary():
    vocabulary = adopt({**IDS, "ø": 8, "ac": 9}, 10, merges=[("a", "c")])
    again = Vocabulary.from_json(vocabulary.to_json())
    assert again == vocabulary
    assert again.encode("ac", unknown="error").ids == [1, 9, 2]


def test_the_ids_can_be_written_back():
    ids = {**IDS, "ø": 8}
    assert their_ids(adopt(ids, 12)) == ids


def test_the_ids_of_texts_that_are_split_otherwise_are_refused():
    with pytest.raises(CheckpointError, match="cannot split texts"):
        their_ids(Vocabulary((*HEAD, "a"), splitting=Glued()))


def test_a_tokenizer_is_read():
    content = {
        "added_tokens": [{"id": 1, "content": "<bos>"}],
        "model": {"type": "BPE", "vocab": {**IDS, "ac": 9}, "merges": [["a", "c"]]},
    }
    assert read_tokenizer(content, 10).encode("cac", unknown="error").ids == [1, 7, 9, 2]


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ({**IDS, "<mask>": 9, "z": 3}, "gives id 3 to 'z', not to <mask>"),
        ({**IDS, "z": 10}, "beyond the model's 10 rows for text: ['z']"),
        ({**IDS, "aa": 9}, "longer symbols ('aa', say)"),
    ],
)
def test_what_cannot_be_adopted_is_refused(ids, says):
    with pytest.raises(CheckpointError) as caught:
        adopt(ids, 10)
    assert says in caught.value.message


@pytest.mark.parametrize("content", [{}, {"model": {"type": "Unigram", "vocab": []}}])
def test_only_byte_pairs_are_read(content):
    with pytest.raises(CheckpointError, match="no byte-pair tokenizer"):
        read_tokenizer(content, 10)
