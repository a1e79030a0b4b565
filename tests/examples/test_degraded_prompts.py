import degradations
import degraded_prompts
import numpy as np
import pytest
from reliability import Spoken

from vall_e.audio.clip import Clip
from vall_e.errors import AudioError
from vall_e.interfaces.judge import Score, Verdict

RATE = 8000
VOICE = Clip(
    (np.sin(np.arange(RATE * 2) / 5) * np.linspace(0.1, 0.5, RATE * 2)).astype(np.float32),
    RATE,
    name="somebody.wav",
)
NOISE = degradations.white_noise(RATE, seed=1)
SPOILT = {name: do(VOICE) for name, do in degradations.spoilings(NOISE)}


def test_every_prompt_is_a_recording():
    assert len(SPOILT) > 20
    for name, clip in SPOILT.items():
        assert clip.samples.dtype == np.float32, name
        assert 0 < clip.seconds < 16, name
        assert np.abs(clip.samples).max() <= 1, name


@pytest.mark.parametrize("seconds", degradations.SECONDS)
def test_a_prompt_is_as_long_as_its_name_says(seconds):
    assert SPOILT[f"{seconds:g} s"].seconds == pytest.approx(seconds)


@pytest.mark.parametrize("decibels", degradations.NOISE_DB)
def test_noise_is_so_far_under_the_speech(decibels):
    speech, noisy = SPOILT["3 s"].samples, SPOILT[f"noise at {decibels} dB"].samples
    gain = noisy @ speech / (speech @ speech)  # what keeps the sum below full scale
    rest = noisy - gain * speech
    ratio = np.sum((gain * speech) ** 2) / np.sum(rest**2)
    assert 10 * np.log10(ratio) == pytest.approx(decibels, abs=0.2)


def test_opposed_sides_cancel_and_silence_is_silent():
    assert not SPOILT["stereo, the sides opposed"].samples.sum(axis=0).any()
    assert not SPOILT["silence"].samples.any()


class Ear:
    """Recognizes what is said in a voice that is no noise."""

    def __call__(self, evidence):
        return Verdict({"forced_choice": Score(float(evidence.clip.name == "good"))})


def say(text, prompt, seed):
    if "silence" in prompt.name:
        raise AudioError("silent", hint="speak up")
    name = "bad" if "noise_alone" in prompt.name else "good"
    spoken = Spoken(text, 50, 0.1 if "0.3" in prompt.name else 5.0, ended=True)
    warning = "words are missing" if "tone" in prompt.name else ""
    return degraded_prompts.Said(spoken, Clip(VOICE.samples, RATE, name=name), warning)


def test_only_some_kinds_can_be_tried(tmp_path):
    only = ["silence", "a tone"]
    trials = degraded_prompts.try_prompts([VOICE], NOISE, ["one"], Ear(), say, tmp_path, only=only)
    assert {trial.prompt for trial in trials} == set(only)


def test_the_table_says_what_became_of_each_prompt(tmp_path):
    texts = ["one two three four five", "six seven eight nine ten"]
    trials = list(degraded_prompts.try_prompts([VOICE], NOISE, texts, Ear(), say, tmp_path))
    rows = {row.prompt: row for row in degraded_prompts.rows(trials)}
    assert str(rows["3 s"]) == "| 3 s | 2 | 0 | 0 | 0 | 2 of 2 |"
    assert (rows["silence"].refused, rows["silence"].failed) == (2, 0)
    assert (rows["0.3 s"].wrong_length, rows["0.3 s"].failed) == (2, 2)
    assert (rows["noise alone"].recognized, rows["noise alone"].failed) == (0, 2)
    assert rows["a tone"].warned == 2
    assert {trial.exit_code for trial in trials} == {0, 5}
    assert (tmp_path / "3_s_of_somebody-said-1.wav").is_file()
