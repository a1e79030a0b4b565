"""A vocoder that sounds at a higher rate than its codes look at."""

import numpy as np
import pytest
import soxr
import torch
from attrs import asdict, evolve

from vall_e.plugin import TrainingError
from vall_e_codecs.embedded.analysis import Analysis, AnalysisSettings
from vall_e_codecs.embedded.bandwidth import fill_above
from vall_e_codecs.embedded.batches import CropSettings
from vall_e_codecs.embedded.codec import EmbeddedCodec
from vall_e_codecs.embedded.recordings import read_lists
from vall_e_codecs.embedded.train import Trainer, TrainSettings
from vall_e_codecs.embedded.vocoder import Vocoder, VocoderSettings
from vall_e_codecs.embedded.widen import settings_at, widened

NARROW = VocoderSettings(width=16, layers=2, expansion=1)
WIDE = settings_at(NARROW, 480)


def noise(samples, seed=0):
    return 0.1 * torch.randn(2, samples, generator=torch.Generator().manual_seed(seed))


def test_audio_of_a_higher_rate_has_the_vectors_of_its_lower_band():
    settings = AnalysisSettings()
    low = 0.1 * np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    high = soxr.resample(low, 16_000, 24_000, quality="VHQ")
    at_16, at_24 = (
        Analysis(settings, rate)(torch.from_numpy(audio)[None])[0]
        for rate, audio in ((16_000, low), (24_000, high))
    )
    assert at_24.shape == at_16.shape
    bands = [i for i in range(160) if i % 80 < 70]  # the highest are where the resampler fades
    # not at the ends, where the resampler rings
    assert (at_24 - at_16)[2:-2, bands].abs().mean() < 0.1


def test_a_rate_without_whole_samples_is_refused():
    with pytest.raises(ValueError, match="no whole samples"):
        AnalysisSettings().at(22_050)


def test_a_widened_vocoder_makes_the_same_sound_at_first():
    torch.manual_seed(0)
    vectors = torch.randn(1, 40, 160)
    narrow, wide = Vocoder(NARROW), Vocoder(WIDE)
    wide.load_state_dict(widened(narrow.state_dict(), NARROW, WIDE))
    with torch.no_grad():
        before, after = narrow(vectors)[0].numpy(), wide(vectors)[0].numpy()
    assert len(after) == len(before) * 3 // 2
    both = soxr.resample(after, 24_000, 16_000)[: len(before)]
    below = np.fft.rfft([both, before])[:, : len(before) * 7 // 16]  # 7 of 8 kHz
    assert np.abs(below[0] - below[1]).max() < 0.02 * np.abs(below[1]).max()


def test_a_codec_sounds_at_its_vocoders_rate_and_keeps_its_identity(codebooks):
    weights = evolve(codebooks, vocoder=Vocoder(WIDE).state_dict(), vocoder_settings=asdict(WIDE))
    codec = EmbeddedCodec(weights)
    assert codec.sample_rate == 24_000
    assert codec.frame_rate == 50
    assert codec.identity == codebooks.identity
    codes = codec.encode(noise(4800)[:1, None])
    assert codes.shape[-1] == 10
    assert codec.decode(codes).shape[-1] == 4800


def test_a_recording_says_nothing_of_what_lies_above_its_band():
    made, target = noise(9600), noise(9600, seed=1)
    filled = fill_above(target, made, torch.tensor([8_000.0, 12_000.0]), 24_000)
    torch.testing.assert_close(filled[1], target[1], atol=1e-5, rtol=0)
    got, low, high = (torch.fft.rfft(x[0]) for x in (filled, target, made))
    torch.testing.assert_close(got[:2700], low[:2700], atol=1e-3, rtol=0)  # up to 6.75 kHz
    torch.testing.assert_close(got[3100:], high[3100:], atol=1e-3, rtol=0)  # from 7.75 kHz


def test_training_continues_from_a_lower_rate_but_not_from_a_higher(codebooks):
    narrow = evolve(
        codebooks, vocoder=Vocoder(NARROW).state_dict(), vocoder_settings=asdict(NARROW)
    )
    trainer = Trainer(codebooks, WIDE, TrainSettings())
    trainer.start_from(narrow)
    assert trainer.sample_rate == 24_000
    wide = evolve(codebooks, vocoder=Vocoder(WIDE).state_dict(), vocoder_settings=asdict(WIDE))
    with pytest.raises(TrainingError, match="to start from has sizes"):
        Trainer(codebooks, NARROW, TrainSettings()).start_from(wide)


def test_the_vocoder_learns_from_the_discriminators_after_their_warm_up(
    codebooks, recordings_list, tmp_path
):
    sources = read_lists([recordings_list], 16_000, tmp_path / "cache")
    crops = CropSettings(batch=2, frames=20)
    settings = TrainSettings(adversary_channels=2, adversary_warm_up=1, crops=crops)
    trainer = Trainer(codebooks, NARROW, settings)
    assert "deceit" not in trainer.step(sources)
    assert "deceit" in trainer.step(sources)
