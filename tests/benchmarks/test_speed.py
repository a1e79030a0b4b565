import pytest

from vall_e.benchmarks.speed import measure


@pytest.fixture(scope="module")
def report(speaker):
    return measure(speaker(), repeats=1, training_steps=1, copied_bytes=1 << 22)


def test_the_limit_is_how_often_the_memory_can_give_the_weights(report, tiny):
    backbone = sum(
        t.numel() * 4 for name, t in tiny.model.state_dict().items() if name.startswith("backbone.")
    )
    assert backbone < report.weight_bytes < sum(p.numel() * 4 for p in tiny.model.parameters())
    assert report.ar_steps_limit == report.bytes_per_second / report.weight_bytes


def test_figures_are_there(report):
    assert report.first_audio_seconds > 0
    assert report.rtf > 0
    assert 0 < report.audio_seconds <= 0.2
    assert report.training_tokens_per_second > 0
    assert report.peak_memory_bytes > 50e6  # torch alone takes more


def test_measuring_leaves_the_model_as_it_was(speaker):
    tiny = speaker()
    before = {name: tensor.clone() for name, tensor in tiny.model.state_dict().items()}
    measure(tiny, repeats=1, training_steps=1, copied_bytes=1 << 20)
    assert not tiny.model.training
    assert all(tensor.equal(before[name]) for name, tensor in tiny.model.state_dict().items())
