import pytest

from vall_e.errors import CheckpointError, UnknownComponentError
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.load import LoadOptions, open_parts
from vall_e.synthesis.request import Request
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.testing.fakes.tiny_model import tiny_bundle


def test_another_attention_kernel_may_speak(weights, registry):
    eager = open_parts(LoadOptions(model=weights, overrides=["model.attention=eager"]), registry)
    kernel = eager.bundle.model.backbone.layers[0].self_attn.attention
    assert kernel.name == "eager"
    usual, other = (
        Synthesizer(parts, device="cpu").synthesize("hello", seed=0)
        for parts in (open_parts(LoadOptions(model=weights), registry), eager)
    )
    assert (usual.codes.values == other.codes.values).all()


@pytest.mark.parametrize("form", ["bf16", "int8"])
def test_a_model_speaks_with_reduced_weights(weights, registry, form):
    parts = open_parts(
        LoadOptions(model=weights, overrides=[f"synthesis.weights={form}"]), registry
    )
    synthesizer = Synthesizer(parts, device="cpu")
    requests = [Request("hello", seed=1), Request("you there", seed=2)]
    for request, together in zip(requests, synthesizer.synthesize_batch(requests), strict=True):
        alone = synthesizer.synthesize(request)
        assert alone.codes.values.shape[1] > 0
        if form == "int8":  # in bf16 a sum depends on how many rows there are
            assert (alone.codes.values == together.codes.values).all()


def test_the_task_is_chosen_by_name(weights, registry):
    assert open_parts(LoadOptions(model=weights, task="tts"), registry).task.name == "tts"


def test_a_task_that_was_not_trained_is_refused(weights, registry):
    with pytest.raises(CheckpointError) as caught:
        open_parts(LoadOptions(model=weights, task="stt"), registry)
    assert "was not trained for the task 'stt'" in caught.value.message
    assert caught.value.hint == "it knows tts; to train a model for it: tasks: [tts, stt]"
    with pytest.raises(UnknownComponentError, match="there is no task called 'sst'"):
        open_parts(LoadOptions(model=weights, task="sst"), registry)


class FewerLevels:
    """The codec itself, set to another number of levels."""

    def __init__(self, codec):
        self.codec, self.levels = codec, codec.levels - 1

    def __getattr__(self, name):
        return getattr(self.codec, name)


def test_a_codec_of_the_same_name_with_other_levels_is_refused(registry, codec):
    with pytest.raises(CheckpointError, match=r"\(3 levels of 8\), the codec here is .* \(2 lev"):
        Parts.of(tiny_bundle(registry, codec), FewerLevels(codec))


def test_a_backbone_without_a_cache_is_refused_before_it_speaks(registry, codec):
    bundle = tiny_bundle(registry, codec)
    bundle.model.backbone.caches = False
    with pytest.raises(CheckpointError, match="the backbone llama has no cache") as caught:
        Parts.of(bundle, codec)
    assert "caches" in caught.value.hint
    only_nar = tiny_bundle(registry, codec, model={"capabilities": ["nar"]})
    only_nar.model.backbone.caches = False
    assert Parts.of(tiny_bundle(registry, codec), codec, nar=only_nar).refining
