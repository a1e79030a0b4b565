"""From recordings to speech, through the commands that a user types."""

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import vall_e
from vall_e.audio.clip import Clip
from vall_e.cli.app import cli
from vall_e.data.dataset.folder import Dataset

SPEECH = Path(__file__).parent / "speech"
RUN = """
model:
  backbone: {name: llama, d_model: 64, layers: 2, heads: 4}
  text_stride: 3
tasks: [{name: tts, language: false}]
sampling: {ar: [greedy], nar: [greedy]}
data: {train: [data], without_prompt: 1.0, batch_seconds: 60}
training:
  optimizer: {name: adamw, lr: 6e-3}
  schedule: {name: cosine, warmup_steps: 10}
  levels: [0, 1, 2, 3] # as the built-in voice: four of the codec's eight
  max_steps: 220
  save_every: 1000
  threads: 1
  output: runs/learnt
synthesis: {levels: 4}
"""
OTHERS = [
    "will we ever forget it",
    "it's the aurora borealis",
    "she turned in at the hotel",
    "we'll have to watch our chances",
    "it was a curious coincidence",
    "he was wounded in the arm",
    "you must sleep he urged",
    "what if jean failed him",
]

pytestmark = [
    pytest.mark.slow,
    # pocketsphinx opens its model files with a call that Python deprecates.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that has learnt two utterances by heart, trained and exported by command."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "run.yaml").write_text(RUN)
    run = str(folder / "run.yaml")
    _vall_e("data", "process", str(SPEECH), "-o", str(folder / "data"), "-c", run)
    _vall_e("train", run)
    exported = folder / "learnt.safetensors"
    _vall_e("export", str(folder / "runs" / "learnt"), "--to", "safetensors", "-o", str(exported))
    return folder


@pytest.fixture(scope="module")
def synthesizer(folder):
    return vall_e.load(folder / "learnt.safetensors")


def test_two_utterances_learnt_by_heart_come_back_code_by_code(folder, synthesizer):
    dataset = Dataset(folder / "data")
    for entry in dataset.entries:
        result = synthesizer.synthesize(entry.text, seed=0)
        (sentence,) = result.sentences
        assert sentence.ended
        np.testing.assert_array_equal(sentence.codes.values, dataset.codes(entry)[:4])


def test_a_recognizer_picks_the_right_sentence(synthesizer):
    texts = [row["text"] for row in _rows()]
    for text in texts:
        audio = synthesizer.synthesize(text, seed=0).audio
        assert _heard(audio, synthesizer.codec.sample_rate, texts) == _plain(text)


def test_the_command_speaks_what_python_speaks(folder, synthesizer):
    text = _rows()[0]["text"]
    out = folder / "said.wav"
    model = str(folder / "learnt.safetensors")
    _vall_e("synth", text, "-m", model, "--seed", "0", "-o", str(out))
    spoken = synthesizer.synthesize(text, seed=0).audio
    np.testing.assert_allclose(Clip.read(out).samples, spoken, atol=1e-4)


def _vall_e(*args: str) -> None:
    result = CliRunner().invoke(cli, args, catch_exceptions=False)
    assert result.exit_code == 0, result.output


def _rows() -> list[dict[str, str]]:
    with (SPEECH / "transcripts.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _plain(text: str) -> str:
    return text.lower().replace(".", "")


def _heard(audio: np.ndarray, rate: int, texts: list[str]) -> str:
    """Which of ten sentences a recognizer takes it for (forced choice)."""
    from pocketsphinx import Decoder

    decoder = Decoder(lm=None, loglevel="FATAL", samprate=rate)
    sentences = " | ".join([*map(_plain, texts), *OTHERS])
    decoder.add_jsgf_string("choice", f"#JSGF V1.0;\ngrammar g;\npublic <s> = {sentences} ;\n")
    decoder.activate_search("choice")
    padded = np.pad(audio / np.abs(audio).max() * 0.7, rate // 4)
    # Digital silence upsets the recognizer: a little dither.
    padded = padded + np.random.default_rng(0).normal(0, 1e-4, padded.shape)
    decoder.start_utt()
    decoder.process_raw((padded * 32767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    return decoder.hyp().hypstr if decoder.hyp() else ""
