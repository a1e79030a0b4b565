from vall_e.testing.contracts.phonemizer import PhonemizerContract
from vall_e.text.phonemizers.options import PassthroughConfig
from vall_e.text.phonemizers.passthrough import Passthrough


class TestPassthrough(PhonemizerContract):
    def make(self):
        return Passthrough(PassthroughConfig())


class TestSmallLetters(PhonemizerContract):
    def make(self):
        return Passthrough(PassthroughConfig(lowercase=True))


def test_phonemes_pass_unchanged():
    passthrough = Passthrough(PassthroughConfig())
    assert passthrough("həlˈoʊ, wˈɜːld!", "en-us") == "həlˈoʊ, wˈɜːld!"


def test_the_alphabet_can_be_given():
    passthrough = Passthrough(PassthroughConfig(alphabet="BAä", lowercase=True))
    assert passthrough.alphabet() == [*" !,.:;?ab", "\u0308", "—", "…"]
