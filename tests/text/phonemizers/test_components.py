import subprocess
import sys

from vall_e.text.phonemizers.components import PHONEMIZERS
from vall_e.text.vocabulary import Vocabulary


def test_the_alphabet_of_a_new_model_is_documented():
    espeak = PHONEMIZERS[0].build(PHONEMIZERS[0].config())
    assert len(Vocabulary.of(espeak.alphabet())) == 222
    assert len(espeak.languages) == 137


def test_no_torch_and_no_espeak_is_imported_before_it_is_asked_for():
    program = (
        "import sys, vall_e.text.phonemizers.components, vall_e.text.front_end,"
        "vall_e.text.sentences,"
        "vall_e.audio.clip, vall_e.audio.codes, vall_e.audio.wav_stream;"
        "assert not {'torch', 'phonemizer', 'espeakng_loader'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
