"""Fitting and training the embedded codec, on seconds of sound."""

import json

import numpy as np
import pytest
import soundfile
import torch
from attrs import evolve
from click.testing import CliRunner

from vall_e.plugin import CheckpointError, DataError, TrainingError
from vall_e_codecs.embedded import weights
from vall_e_codecs.embedded.adversary import Adversary
from vall_e_codecs.embedded.analysis import AnalysisSettings
from vall_e_codecs.embedded.batches import CropSettings, draw_crops, draw_levels
from vall_e_codecs.embedded.command import codec as command
from vall_e_codecs.embedded.fit_codebooks import FitSettings, draw_vectors, fit
from vall_e_codecs.embedded.losses import SpectralDistance
from vall_e_codecs.embedded.recordings import balanced_shares, read_lists
from vall_e_codecs.embedded.train import Trainer, TrainSettings, append_json
from vall_e_codecs.embedded.vocoder import VocoderSettings

TINY = VocoderSettings(width=16, layers=2, expansion=1)
SETTINGS = TrainSettings(minutes=1, crops=CropSettings(batch=2, frames=8), report_steps=1)
FIT = FitSettings(levels=3, codebook_size=8, rough_vectors=200, rough_passes=3, passes=2)


@pytest.fixture
def sources(recordings_list, tmp_path):
    return read_lists([recordings_list], 16_000, tmp_path / "cache")


def test_recordings_are_resampled_and_kept_apart(sources):
    (source,) = sources
    assert [source.length(i) for i in range(6)] == [round(16_000 + i * 2000 / 3) for i in range(6)]
    assert source[5].dtype == np.float32
    assert 0.3 < np.abs(source[0]).max() < 0.4
    np.testing.assert_array_equal(source.part(3, 100, 200), source[3][100:200])


def blobs(cache):
    return {path.name: path.stat().st_mtime_ns for path in cache.iterdir()}


def test_recordings_are_decoded_once(recordings_list, sources, tmp_path):
    before = blobs(tmp_path / "cache")
    (again,) = read_lists([recordings_list], 16_000, tmp_path / "cache")
    assert blobs(tmp_path / "cache") == before
    np.testing.assert_array_equal(again.samples, sources[0].samples)


def test_equal_lists_in_two_folders_are_two_sources(tmp_path):
    lists = []
    for name, level in (("a", 0.1), ("b", 0.4)):
        folder = tmp_path / name
        folder.mkdir()
        soundfile.write(folder / "0.wav", np.full(1600, level), 16_000)
        lists.append(folder / "list.tsv")
        lists[-1].write_text("path\n0.wav\n")
    a, b = read_lists(lists, 16_000, tmp_path / "cache")
    assert (a[0].max(), b[0].max()) == pytest.approx((0.1, 0.4), abs=1e-3)


def test_a_recording_that_has_changed_is_decoded_again(recordings_list, sources, tmp_path):
    soundfile.write(recordings_list.parent / "2.wav", np.full(800, 0.5), 16_000)
    (again,) = read_lists([recordings_list], 16_000, tmp_path / "cache")
    assert again.length(2) == 800


def test_recordings_that_cannot_be_used_are_left_out_and_noted(recordings_list, tmp_path):
    folder = recordings_list.parent
    (folder / "1.wav").write_bytes(b"no sound")
    soundfile.write(folder / "2.wav", np.zeros(0), 16_000)
    soundfile.write(folder / "3.wav", np.full(100, np.nan), 16_000, subtype="FLOAT")
    (folder / "4.wav").unlink()
    for _ in range(2):  # decoded, then from the cache
        (source,) = read_lists([recordings_list], 16_000, tmp_path / "cache")
        assert [source.length(i) for i in range(len(source))] == [16_000, 19_333]
        assert [item.path for item in source.skipped] == [
            str(folder / f"{i}.wav") for i in (1, 2, 3, 4)
        ]
        for item, says in zip(source.skipped, ("1.wav", "no samples", "NaN", "4.wav"), strict=True):
            assert says in item.reason


def test_a_bad_list_is_named(tmp_path):
    for text, message in (
        ("id\tfile\n1\tx.wav\n", "no column `path`"),
        ("path\n", "lists no recordings"),
        ("path\nabsent.wav\n", r"absent\.wav"),
    ):
        path = tmp_path / "list.tsv"
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            read_lists([path], 16_000, tmp_path / "cache")


def test_small_sources_give_all_and_large_ones_share_the_rest():
    assert balanced_shares([10, 1000, 200], 300) == [10, 145, 145]
    assert balanced_shares([10, 20], 300) == [10, 20]


def test_each_level_explains_more(sources):
    vectors = draw_vectors(sources, AnalysisSettings(), 250, seed=0)
    errors = []
    fit(vectors, FIT, subframes=2, progress=lambda _, error: errors.append(error))
    assert len(errors) == 3
    assert 1 > errors[0] > errors[1] > errors[2]


def test_the_same_seed_fits_the_same_codebooks(sources):
    vectors = draw_vectors(sources, AnalysisSettings(), 250, seed=0)
    first, second = (fit(vectors, FIT, subframes=2).codebooks for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, fit(vectors, evolve(FIT, seed=1), subframes=2).codebooks)


def test_too_few_vectors_are_refused(sources):
    vectors = draw_vectors(sources, AnalysisSettings(), 10, seed=0)
    with pytest.raises(DataError, match="10 code frames are too few"):
        fit(vectors, FIT, subframes=2)


def test_entries_that_nothing_is_near_to_come_back():
    vectors = torch.zeros(100, 4)
    vectors[50:] = 1
    quantizer = fit(vectors, evolve(FIT, levels=1, codebook_size=4), subframes=2)
    decoded = quantizer.decode(quantizer.encode(vectors[None]))[0]
    torch.testing.assert_close(
        decoded * quantizer.scale + quantizer.mean, vectors, atol=0.05, rtol=0
    )


def test_crops_have_one_size_and_stay_in_range(sources):
    crops = draw_crops(
        sources, CropSettings(batch=5, frames=90, gain_decibels=40), 320, np.random.default_rng(0)
    )
    assert crops.audio.shape == (5, 92 * 320)
    assert crops.audio.abs().max() <= 1
    assert crops.bandwidths.tolist() == [12_000] * 5


def test_half_of_the_crops_have_all_levels():
    drawn = draw_levels(8, 2000, np.random.default_rng(0))
    assert set(drawn) == set(range(1, 9))
    assert 0.5 < drawn.count(8) / 2000 < 0.65


def test_distance_is_zero_to_itself_and_grows():
    distance = SpectralDistance(AnalysisSettings())
    sound = 0.1 * torch.randn(2, 8000, generator=torch.Generator().manual_seed(0))
    assert distance(sound, sound).total == 0
    assert 0 < distance(0.9 * sound, sound).total < distance(0.5 * sound, sound).total
    silence = torch.zeros(2, 8000, requires_grad=True)
    distance(silence, sound).total.backward()
    assert silence.grad.isfinite().all()


def test_training_brings_the_loss_down(codebooks, sources):
    trainer = Trainer(codebooks, TINY, evolve(SETTINGS, learning_rate=5e-3))
    trainer.seconds = 30.0  # half of the time: the learning rate is at half its height
    losses = [trainer.step(sources)["loss"] for _ in range(20)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_a_resumed_run_continues_as_if_never_stopped(codebooks, sources, tmp_path):
    one = Trainer(codebooks, TINY, SETTINGS)
    for _ in range(2):
        one.step(sources)
    one.save(tmp_path)
    two = Trainer(codebooks, TINY, evolve(SETTINGS, seed=7))
    two.resume(tmp_path / "checkpoint.safetensors")
    assert two.steps == 2
    assert one.step(sources) == two.step(sources)
    for name, value in one.average.state_dict().items():
        assert torch.equal(value, two.average.state_dict()[name])


def test_only_its_own_checkpoint_is_resumed(codebooks, sources, tmp_path):
    trainer = Trainer(codebooks, TINY, SETTINGS)
    trainer.save(tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(CheckpointError, match="cannot be resumed"):
        Trainer(codebooks, evolve(TINY, width=8), SETTINGS).resume(path)
    other = evolve(codebooks, analysis=AnalysisSettings(floor=1e-7))
    with pytest.raises(TrainingError, match="was trained on the codebooks"):
        Trainer(other, TINY, SETTINGS).resume(path)


def test_a_gradient_that_is_not_a_number_stops_the_run(codebooks, sources):
    trainer = Trainer(codebooks, TINY, SETTINGS)
    with torch.no_grad():
        trainer.vocoder.head.bias[0] = torch.nan
    with pytest.raises(TrainingError, match="is not finite"):
        trainer.step(sources)


def test_training_leaves_the_codebooks_alone(codebooks, sources, tmp_path):
    trainer = Trainer(codebooks, TINY, SETTINGS)
    trainer.step(sources)
    trainer.save(tmp_path)
    assert weights.load(tmp_path / "codec.safetensors").identity == codebooks.identity


def test_an_adversary_learns_too_and_is_resumed(codebooks, sources, tmp_path):
    settings = evolve(SETTINGS, adversary_channels=2)
    one = Trainer(codebooks, TINY, settings)
    before = {name: value.clone() for name, value in one.adversary.state_dict().items()}
    metrics = one.step(sources)
    assert {"adversary", "deceit", "features"} <= set(metrics)
    assert any(not v.equal(before[name]) for name, v in one.adversary.state_dict().items())
    one.save(tmp_path)
    two = Trainer(codebooks, TINY, settings)
    two.resume(tmp_path / "checkpoint.safetensors")
    assert one.step(sources) == two.step(sources)


@pytest.mark.slow
def test_an_adversary_distinguishes_noise_from_speech():
    torch.manual_seed(0)
    adversary = Adversary(2)
    optimizer = torch.optim.Adam(adversary.parameters(), lr=1e-2)
    tone = 0.3 * torch.sin(torch.arange(4000) / 7)[None].repeat(2, 1)
    noise = 0.3 * torch.randn(2, 4000)
    first = adversary.own_loss(noise, tone)
    for _ in range(25):
        optimizer.zero_grad()
        adversary.own_loss(noise, tone).backward()
        optimizer.step()
    assert adversary.own_loss(noise, tone) < 0.8 * first
    same, other = adversary.verdict(tone, tone), adversary.verdict(noise, tone)
    assert same.features == 0
    assert other.deceit > same.deceit


def test_another_run_can_be_taken_further(codebooks, sources, tmp_path):
    one = Trainer(codebooks, TINY, SETTINGS)
    one.step(sources)
    one.save(tmp_path)
    made = weights.load(tmp_path / "codec.safetensors")
    two = Trainer(codebooks, TINY, evolve(SETTINGS, seed=5))
    two.start_from(made)
    for name, value in two.vocoder.state_dict().items():
        torch.testing.assert_close(value, one.average.state_dict()[name], atol=1e-3, rtol=1e-3)
    with pytest.raises(TrainingError, match="to start from has sizes"):
        Trainer(codebooks, evolve(TINY, width=8), SETTINGS).start_from(made)


def test_metrics_are_means_since_the_last_line(codebooks, sources, tmp_path):
    trainer = Trainer(codebooks, TINY, evolve(SETTINGS, minutes=0.005, report_steps=2))
    path = tmp_path / "metrics.jsonl"
    while trainer.steps < 2:  # a slow machine may not do two steps in the time of one call
        trainer.seconds = 0.0
        trainer.run(sources, tmp_path, lambda line: append_json(path, line))
    first = json.loads(path.read_text().splitlines()[0])
    assert first["step"] == 2
    assert {"loss", "mel", "rate", "seconds"} <= set(first)


@pytest.fixture
def train(codebooks, recordings_list, tmp_path):
    """Run `codec train` into the folder `run`, for an instant."""
    weights.save(codebooks, tmp_path / "codebooks.safetensors")
    words = [
        "train", str(recordings_list), "--cache", str(tmp_path / "cache"), "--minutes", "0.005",
        "--codebooks", str(tmp_path / "codebooks.safetensors"), "-o", str(tmp_path / "run"),
        *("--width", "8", "--layers", "1", "--batch", "2", "--frames", "8"),
    ]  # fmt: skip

    def run(*more):
        return CliRunner().invoke(command, [*words, *more], catch_exceptions=False)

    return run


def test_the_command_trains_and_leaves_a_codec_to_use(train, tmp_path):
    result = train("--resume")  # in an empty folder: a new run
    assert result.exit_code == 0, result.output
    made = weights.load(tmp_path / "run" / "codec.safetensors")
    assert made.vocoder_settings["width"] == 8


def test_a_run_is_never_overwritten(train, tmp_path):
    assert train().exit_code == 0
    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    before = checkpoint.read_bytes()
    with pytest.raises(TrainingError, match="contains a run that would be overwritten") as caught:
        train()
    assert "--resume, or choose another folder with -o" in caught.value.hint
    assert checkpoint.read_bytes() == before


def test_the_same_command_continues(train, tmp_path):
    train("--resume")
    first = (tmp_path / "run" / "checkpoint.safetensors").read_bytes()
    assert train("--resume", "--minutes", "0.01").exit_code == 0
    assert (tmp_path / "run" / "checkpoint.safetensors").read_bytes() != first


def test_the_command_says_what_it_skipped(train, recordings_list):
    (recordings_list.parent / "1.wav").write_bytes(b"no sound")
    result = train()
    assert result.exit_code == 0
    assert "skipped 1 of 6 recordings" in result.stderr
    assert "1.wav" in result.stderr


@pytest.mark.parametrize(
    "option", ["--minutes", "--learning-rate", "--batch", "--frames", "--width", "--layers"]
)
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf"])
def test_numbers_that_make_no_sense_are_refused(train, option, value):
    result = train(option, value)
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.stderr


def test_the_command_sends_a_recording_through_the_codec(tiny_weights, recordings_list, tmp_path):
    path, output = tmp_path / "codec.safetensors", tmp_path / "out.wav"
    weights.save(tiny_weights, path)
    recording = recordings_list.parent / "1.wav"
    arguments = ["resynthesize", str(recording), "--codec", str(path), "--levels", "2", "-o"]
    result = CliRunner().invoke(command, [*arguments, str(output)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{output}: 1.04 s, 2 of ")
    assert soundfile.info(output).frames == round(25_000 * 16_000 / 24_000)
    assert soundfile.info(output).samplerate == 16_000
    with pytest.raises(DataError, match="no audio format has the suffix"):
        CliRunner().invoke(command, [*arguments, "x.what"], catch_exceptions=False)


def test_the_command_fits_codebooks(recordings_list, tmp_path):
    output = tmp_path / "codebooks.safetensors"
    arguments = ["fit", str(recordings_list), "--cache", str(tmp_path / "cache"), "-o", str(output)]
    with pytest.raises(DataError, match="too few for 1024 entries"):
        CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert not output.exists()
