import pytest

from vall_e.errors import CheckpointError
from vall_e.synthesis.parts import gather
from vall_e.synthesis.speak import Synthesizer


def test_another_attention_kernel_may_speak(weights, registry):
    eager = gather(weights, registry, overrides=["model.attention=eager"])
    kernel = eager.bundle.model.backbone.layers[0].self_attn.attention
    assert kernel.name == "eager"
    usual, other = (
        Synthesizer(parts, device="cpu").synthesize("hello", seed=0)
        for parts in (gather(weights, registry), eager)
    )
    assert (usual.codes.values == other.codes.values).all()


def test_the_task_is_chosen_by_name(weights, registry):
    assert gather(weights, registry, task="tts").task.name == "tts"


def test_a_task_that_was_not_trained_is_refused(weights, registry):
    with pytest.raises(CheckpointError) as caught:
        gather(weights, registry, task="stt")
    assert "was not trained for the task 'stt'" in caught.value.message
    assert caught.value.hint == "it knows: tts"
