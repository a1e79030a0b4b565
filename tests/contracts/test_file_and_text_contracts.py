"""The contracts of exporters and phonemizers refuse what only looks like one."""

from contextlib import suppress
from typing import ClassVar

import pytest
import torch

from vall_e.export.formats.components import build_safetensors
from vall_e.export.formats.options import SafetensorsConfig
from vall_e.export.formats.torch import TorchExporter
from vall_e.testing import ExporterContract, PhonemizerContract, StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.text.phonemizers.options import PassthroughConfig
from vall_e.text.phonemizers.passthrough import Passthrough


class Exporter:
    suffix = ".safetensors"

    def __call__(self, bundle, path):
        build_safetensors(SafetensorsConfig())(bundle, path)


class WritesNoWeights(Exporter):
    def __call__(self, bundle, path):
        path.write_text("\n".join(bundle.model.state_dict()))


class LeavesItsDraft(Exporter):
    def __call__(self, bundle, path):
        draft = path.with_suffix(".draft")
        draft.write_text("")
        super().__call__(bundle, path)
        draft.unlink()


class WritesTwoFiles(Exporter):
    def __call__(self, bundle, path):
        super().__call__(bundle, path)
        path.with_suffix(".json").write_text("{}")


class HalvesTheModel(Exporter):
    def __call__(self, bundle, path):
        bundle.model.half()
        super().__call__(bundle, path)


class SwitchesToEval(Exporter):
    def __call__(self, bundle, path):
        bundle.model.eval()
        super().__call__(bundle, path)


class ForgetsItsMetadata(TorchExporter):
    def read(self, path):
        return {}, super().read(path)[1]


class OpensAnything(TorchExporter):
    def opens(self, path):
        return True


class Unpickles(TorchExporter):
    def opens(self, path):
        with suppress(Exception):
            return isinstance(torch.load(path, weights_only=False), dict)
        return False


class HasABareSuffix(Exporter):
    suffix = "safetensors"


class KeepsTheOldFile(Exporter):
    def __call__(self, bundle, path):
        if not path.exists():
            super().__call__(bundle, path)


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (WritesNoWeights, "test_different_weights_give_different_files"),
        (LeavesItsDraft, "test_a_file_that_cannot_be_written_leaves_nothing"),
        (WritesTwoFiles, "test_writes_exactly_one_file"),
        (HalvesTheModel, "test_does_not_change_the_model"),
        (SwitchesToEval, "test_does_not_change_the_mode"),
        (ForgetsItsMetadata, "test_opens_what_it_wrote"),
        (OpensAnything, "test_opens_no_other_file"),
        (Unpickles, "test_opening_runs_no_pickle"),
        (HasABareSuffix, "test_names_its_suffix"),
        (KeepsTheOldFile, "test_replaces_an_older_file"),
    ],
)
def test_a_broken_exporter_is_refused(judge, registry, broken, refused_by):
    def make_bundle(self):
        return tiny_bundle(registry, StaircaseCodec())

    verdict = judge(ExporterContract, broken, only=refused_by, make_bundle=make_bundle)
    assert refused_by in verdict.failed


class Phonemizer(Passthrough):
    languages = ("en-us",)

    def __init__(self):
        super().__init__(PassthroughConfig())


class SpeaksTheFirstSentence(Phonemizer):
    def __call__(self, text, language):
        return super().__call__(text.split("!")[-1], language)


class DropsCommas(Phonemizer):
    def __call__(self, text, language):
        return super().__call__(text.replace(",", ""), language)


class SpeaksAnything(Phonemizer):
    """Says that it speaks English, and takes any language."""


class Counts(Phonemizer):
    spoken = 0

    def __call__(self, text, language):
        self.spoken += 1
        return super().__call__(text, language) + "a" * (self.spoken - 1)


class KnowsHalfItsAlphabet(Phonemizer):
    def alphabet(self):
        return list("abcdefg")


class LearnsLetters(Phonemizer):
    asked: ClassVar[list] = [0]

    def alphabet(self):
        self.asked[0] += 1
        return [*super().alphabet(), *"ÀÁÂÃÄÅÆÇÈÉÊË"[: self.asked[0]]]


class StopsAtAQuestion(Phonemizer):
    def __call__(self, text, language):
        return super().__call__(text.partition("?")[0] + "?", language)


class SpeaksOfNothing(Phonemizer):
    def __call__(self, text, language):
        return super().__call__(text, language) or "nothing"


class KeepsLines(Phonemizer):
    def __call__(self, text, language):
        return text


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (SpeaksTheFirstSentence, "test_words_are_separated_and_punctuation_is_kept"),
        (DropsCommas, "test_words_are_separated_and_punctuation_is_kept"),
        (SpeaksAnything, "test_an_unknown_language_is_refused"),
        (Counts, "test_the_same_text_gives_the_same_phonemes"),
        (KnowsHalfItsAlphabet, "test_its_alphabet_covers_its_phonemes"),
        (LearnsLetters, "test_its_alphabet_is_the_same_each_time"),
        (StopsAtAQuestion, "test_every_sentence_is_phonemized"),
        (SpeaksOfNothing, "test_no_text_gives_no_phonemes"),
        (KeepsLines, "test_white_space_changes_nothing"),
    ],
)
def test_a_broken_phonemizer_is_refused(judge, broken, refused_by):
    assert refused_by in judge(PhonemizerContract, broken, only=refused_by).failed
