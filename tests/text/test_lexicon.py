"""Pronunciations that are given: by a file, and in the text itself."""

from pathlib import Path

import pytest
from attrs import evolve

from vall_e.errors import CheckpointError, TextError
from vall_e.text.front_end import FrontEnd
from vall_e.text.lexicon import Lexicon, lexicon_beside
from vall_e.text.normalizers.options import RulesConfig
from vall_e.text.normalizers.rules import RuleNormalizer
from vall_e.text.phonemizers.options import PassthroughConfig
from vall_e.text.phonemizers.passthrough import Passthrough
from vall_e.text.pronunciations import Pronunciations, joined
from vall_e.text.sentences import split
from vall_e.text.vocabulary import Vocabulary

WORDS = {
    "nguyen": "ŋwˈiən",
    "Polish": "pˈoʊlɪʃ",
    "New York": "nuː jˈɔːk",
    "C3PO": "siː θɹiː",
    ".NET": "dɑːt nˈɛt",
    "c++": "siː plˈʌs",
}


@pytest.fixture
def front_end():
    return FrontEnd(
        Passthrough(PassthroughConfig()),
        Vocabulary.of("abc"),
        RuleNormalizer(RulesConfig()),
        "warn",
        Pronunciations(Lexicon(WORDS), inline=True),
    )


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Dr. Nguyen said so.", "Doctor ŋwˈiən said so."),
        ("NGUYEN, and nguyen!", "ŋwˈiən, and ŋwˈiən!"),
        ("a Polish polish", "a pˈoʊlɪʃ polish"),
        ("in New York 5 times", "in nuː jˈɔːk five times"),
        ("in New Yorkers", "in New Yorkers"),
        ("C3PO has 3 arms", "siː θɹiː has three arms"),
        (".NET and C++.", "dɑːt nˈɛt and siː plˈʌs."),
        ("Nguyen's", "Nguyen's"),
        ("Nguyen-Smith", "ŋwˈiən -Smith"),
        ("“Nguyen” (New York)", "“ ŋwˈiən ” ( nuː jˈɔːk )"),
        ("say [Kokoro](/kˈoʊkəɹoʊ/) 2 times", "say kˈoʊkəɹoʊ two times"),
        ("say [nguyen](/nʌjɛn/)", "say nʌjɛn"),
        ("**[so](/sˈoʊ/)** it [is](http://x.y)", "sˈoʊ it is"),
        ("on May 5 Nguyen left", "on May fifth ŋwˈiən left"),
    ],
)
def test_a_given_pronunciation_is_spoken(front_end, text, spoken):
    assert front_end.phonemes(text, "en-us") == spoken


def test_without_the_option_it_is_a_link(front_end):
    off = evolve(front_end, pronunciations=Pronunciations(None, inline=False))
    assert off.phonemes("say [Kokoro](/kˈoʊ/)", "en-us") == "say Kokoro"


def test_a_private_character_of_the_text_is_not_a_placeholder(front_end):
    assert front_end.phonemes("\U000f0000 Nguyen", "en-us").endswith("ŋwˈiən")


def test_a_normalizer_that_drops_words_is_named_as_the_cause(front_end):
    class Drops(RuleNormalizer):
        def __call__(self, text, language):
            return text.encode("ascii", "ignore").decode()

    broken = evolve(front_end, normalizer=Drops(RulesConfig()))
    with pytest.raises(TextError, match="the normalizer dropped 1 of 1 words") as caught:
        broken.phonemes("Nguyen came", "en-us")
    assert "text.normalizer" in caught.value.hint


def test_espeak_speaks_the_rest_as_it_did(espeak, front_end):
    speaking = evolve(front_end, phonemizer=espeak)
    assert speaking.phonemes("He met Nguyen, and left.", "en-us") == (
        f"{espeak('He met', 'en-us')} ŋwˈiən{espeak(', and left.', 'en-us')}"
    )


def test_a_file_is_read(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("\ufeff# names\nNguyen\t/ŋwˈiən/\n\nNew York\tnuː jˈɔːk\n", encoding="utf-8")
    assert Lexicon.read(path).entries == {"Nguyen": "ŋwˈiən", "New York": "nuː jˈɔːk"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"Nguyen", "line 1: 'Nguyen' is not a word, a tab and phonemes"),
        (b"ok\ta\n\tb", r"line 2: '\\tb' is not a word"),
        (b"a\t", "line 1: 'a"),
        (b"a\tb\tc", "line 1"),
        (b"...\tb", "line 1"),
        (b"a\tb\na\tc", "line 2: 'a' has two pronunciations, 'b' and 'c'"),
        (b"\xff\xfe", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_what_is_not_a_lexicon_is_refused(tmp_path, content, says):
    path = tmp_path / "words.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TextError, match=says) as caught:
        Lexicon.read(path)
    assert caught.value.hint


def test_a_large_lexicon_takes_no_time_for_each_word():
    lexicon = Lexicon({f"word{n}": "a" for n in range(20_000)})
    assert len(list(lexicon.find("word7 and word19999 " * 1000))) == 2000


def test_an_inline_pronunciation_is_not_cut():
    text = "one two three four [New York](/nuː jˈɔːk siti/) five six"
    assert any("[New York](/nuː jˈɔːk siti/)" in piece for piece in split(text, max_words=5))


def test_parts_are_joined_with_spaces_but_before_marks():
    assert joined(["a", "", ", b", "c", "."]) == "a, b c."


def test_a_lexicon_is_found_beside_the_weights(tmp_path):
    weights = tmp_path / "model.safetensors"
    (tmp_path / "words.tsv").write_text("a\tb")
    assert lexicon_beside(weights, "words.tsv") == str(tmp_path / "words.tsv")
    assert lexicon_beside(weights, "") == ""
    assert lexicon_beside(weights, str(Path("/other/words.tsv"))) == "/other/words.tsv"


def test_a_lexicon_that_is_gone_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"lexicon words\.tsv") as caught:
        lexicon_beside(tmp_path / "model.safetensors", "words.tsv")
    assert "text.lexicon" in caught.value.hint
