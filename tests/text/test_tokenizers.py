"""How texts fall into the symbols of a new model, and that its weights keep it."""

import json

import pytest

from vall_e.config.load import structure
from vall_e.config.schema import TextConfig
from vall_e.errors import CheckpointError, ConfigError, TextError
from vall_e.text.front_end import FrontEnd
from vall_e.text.symbol_splitter import Glued, splitting_of
from vall_e.text.tokenizers import new_vocabulary, require_tokenizer
from vall_e.text.vocabulary import Vocabulary

TEXTS = ["həlˈoʊ wˈɜːld", "tuː"]


def config(tokenizer, file=""):
    return TextConfig(
        phonemizer=None, normalizer=None, tokenizer=tokenizer, tokenizer_file=str(file)
    )


@pytest.fixture
def trained(tmp_path):
    """A byte-pair tokenizer that was trained on two texts, with a symbol for what is unknown."""
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="[UNK]"))  # noqa: S106
    trainer = tokenizers.trainers.BpeTrainer(
        special_tokens=["[UNK]"], vocab_size=30, show_progress=False
    )
    made.train_from_iterator(["tone bush tone"], trainer)
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def without_unknown(path):
    content = json.loads(path.read_text())
    content["model"]["unk_token"] = None
    path.write_text(json.dumps(content))


def test_characters_are_symbols_unless_something_else_is_said():
    vocabulary = new_vocabulary(config("characters"), TEXTS)
    assert vocabulary == Vocabulary.of("".join(TEXTS))
    assert "splitting" not in json.loads(vocabulary.to_json())


def test_naive_joins_stress_and_length_to_the_character_before():
    vocabulary = new_vocabulary(config("naive"), TEXTS)
    ids = vocabulary.encode("lˈɜːl", unknown="error").ids[1:-1]
    assert [vocabulary.symbols[index] for index in ids] == ["lˈ", "ɜː", "l"]
    assert vocabulary.decode(ids) == "lˈɜːl"


def test_naive_spells_what_was_never_seen_joined():
    vocabulary = new_vocabulary(config("naive"), TEXTS)
    ids = vocabulary.encode("əː", unknown="error").ids[1:-1]
    assert [vocabulary.symbols[index] for index in ids] == ["ə", "ː"]


def test_pieces_are_those_of_the_library(trained):
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = new_vocabulary(config("hf", trained), [])
    theirs = tokenizers.Tokenizer.from_file(str(trained)).encode("bush tone").tokens
    ids = vocabulary.encode("bush tone", unknown="error").ids[1:-1]
    assert [vocabulary.symbols[index] for index in ids] == theirs
    assert max(map(len, theirs)) > 1
    assert vocabulary.decode(ids) == "bush tone"


@pytest.mark.parametrize("told", [True, False], ids=["unknown token", "dropped"])
def test_what_a_tokenizer_does_not_know_is_never_silent(trained, told, caplog):
    if not told:
        without_unknown(trained)
    vocabulary = new_vocabulary(config("hf", trained), [])
    with pytest.raises(TextError, match=r"lacks 'x' \(U\+0078\) x 2"):
        vocabulary.encode("xtonxe", unknown="error")
    found = vocabulary.encode("xtonxe", unknown="warn")
    assert found.unknown == {"x": 2}
    assert "left out 'x'" in caplog.text
    assert vocabulary.decode(found.ids) == "tone"


@pytest.mark.parametrize("tokenizer", ["characters", "naive", "hf"])
def test_the_weights_keep_the_tokenizer(trained, tokenizer):
    vocabulary = new_vocabulary(config(tokenizer, trained), ["bush tone"])
    trained.unlink()
    again = Vocabulary.from_json(vocabulary.to_json())
    assert again == vocabulary
    text = "bush tone"
    assert again.encode(text, unknown="error") == vocabulary.encode(text, unknown="error")


def test_another_tokenizer_than_that_of_the_weights_is_refused(trained, tmp_path):
    pieces = new_vocabulary(config("hf", trained), [])
    require_tokenizer(config("hf", trained), pieces)
    other = tmp_path / "other.json"
    other.write_text(trained.read_text().replace("[UNK]", "[WHAT]"))
    for wanted in (config("hf", other), config("naive"), config("characters")):
        with pytest.raises(ConfigError, match="trained with another tokenizer"):
            require_tokenizer(wanted, pieces)
    with pytest.raises(ConfigError, match="trained with another tokenizer"):
        require_tokenizer(config("hf", trained), Vocabulary.of("ab"))


@pytest.mark.parametrize("content", [None, "", "[]", "{}"])
def test_a_file_that_is_not_a_tokenizer_is_named(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TextError, match=r"tokenizer\.json is no tokenizer\.json"):
        new_vocabulary(config("hf", path), [])


def test_a_tokenizer_without_its_file_says_what_to_name():
    with pytest.raises(TextError, match="needs a file") as caught:
        new_vocabulary(config("hf"), [])
    assert "text.tokenizer_file" in caught.value.hint


def test_a_new_front_end_has_the_tokenizer_of_its_config(registry):
    raw = {"model": {"backbone": {"name": "llama", "d_model": 8, "layers": 1, "heads": 1}}}
    raw["text"] = {"phonemizer": "none", "tokenizer": "naive"}
    front_end = FrontEnd.of(structure(raw, registry, source="test").text)
    assert front_end.vocabulary.splitting == Glued()
    assert front_end.ids("a")


def test_a_way_to_split_that_is_newer_is_refused():
    with pytest.raises(CheckpointError, match="'runes'"):
        splitting_of({"kind": "runes"})
