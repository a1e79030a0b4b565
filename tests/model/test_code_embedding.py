import pytest
import torch
from attrs import evolve

from vall_e.errors import ConfigError
from vall_e.interfaces.task import Sample
from vall_e.model.code_embedding import CodecTable, vectors_of
from vall_e.model.embedding import ModelSizes
from vall_e.model.sequence import Example
from vall_e.model.valle import build_valle
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle, tiny_config
from vall_e.weights.file import load, save

SIZES = ModelSizes(levels=3, codebook_size=16, vocabulary=12, languages=1, code_width=1)
CODEC = StaircaseCodec(levels=3)


def _model(registry, kind):
    config = tiny_config(registry).model
    torch.manual_seed(0)
    model = build_valle(evolve(config, code_vectors=kind), SIZES)
    vectors = vectors_of(kind, CODEC, name="staircase")
    if vectors is not None:
        model.embedding.take_code_vectors(vectors)
    return model


def _example(level):
    codes = torch.randint(0, 16, (3, 9), generator=torch.Generator().manual_seed(0))
    sample = Sample(torch.arange(4), 0, codes[:, :4], codes)
    return Example(tuple(Tts(TtsConfig()).segments(sample, level=level)), level)


def test_the_vectors_of_a_codec_are_what_its_codes_are_decoded_from():
    vectors = CODEC.code_vectors()
    assert vectors.shape == (3, 16, 1)
    codes = torch.tensor([[[3], [7], [15]]])
    total = sum(vectors[level, code] for level, code in enumerate([3, 7, 15]))
    torch.testing.assert_close(CODEC.decode(codes)[0, 0, 0], total[0])


@pytest.mark.parametrize("kind", ["codec", "both"])
def test_a_code_is_its_frozen_vector_projected(registry, kind):
    """Each level by its own; the AR stage's table is of level 0, like the first of the others."""
    embedding = _model(registry, kind).embedding
    vectors = CODEC.code_vectors()
    levels = [0, 0, 1]
    for tables, places in ((embedding.prompt, range(3)), (embedding.response, levels)):
        for table, level in zip(tables, places, strict=True):
            scaled = vectors[level] / vectors[level].square().sum(-1).mean().sqrt()
            torch.testing.assert_close(table.vectors, scaled)
            found, ids = table(torch.tensor([5, 9])), [5, 9]
            wanted = scaled[ids] @ table.project.weight.T
            learnt = table.table(torch.tensor(ids)) if kind == "both" else 0
            torch.testing.assert_close(found, wanted + learnt)


@pytest.mark.parametrize("kind", ["codec", "both"])
def test_projections_are_learnt_and_vectors_are_not(registry, kind):
    model = _model(registry, kind).train()
    before = model.embedding.prompt[0].vectors.clone()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    examples = [_example(0), _example(2)]
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = model.loss(examples).total
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    assert model.embedding.prompt[0].vectors.equal(before)
    assert model.embedding.response[0].project.weight.grad.any()


def test_learnt_tables_are_what_they_were(registry):
    names = _model(registry, "learnt").state_dict().keys()
    assert "embedding.prompt.0.weight" in names
    assert not any("vectors" in name for name in names)


def test_the_vectors_are_saved_with_the_weights(registry, tmp_path):
    """No codec is asked when a model is loaded."""
    backbone = {"name": "llama", "layers": 1, "d_model": 32, "heads": 2}
    model = {"backbone": backbone, "code_vectors": "codec"}
    bundle = tiny_bundle(registry, CODEC, model=model)
    save(bundle, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors", registry).model
    for name, tensor in bundle.model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
    assert again.embedding.prompt[2].vectors.any()


def test_a_table_works_in_half_precision_beside_others(registry):
    model = _model(registry, "both")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert model.loss([_example(2)]).total.isfinite()


def test_a_codec_without_vectors_is_refused(registry):
    class Plain:
        identity, sample_rate, frame_rate, levels, codebook_size, causal = "p", 1, 1.0, 3, 16, True

        def encode(self, audio): ...
        def decode(self, codes): ...
        def stream(self): ...

    with pytest.raises(ConfigError, match="the codec plain does not provide code vectors"):
        vectors_of("both", Plain(), name="plain")
    assert vectors_of("learnt", Plain(), name="plain") is None
    config = tiny_config(registry).model
    with pytest.raises(ConfigError, match=r"model\.code_vectors: codec needs"):
        build_valle(evolve(config, code_vectors="codec"), evolve(SIZES, code_width=0))


def test_equal_vectors_of_no_length_stay(registry):
    table = CodecTable(4, 2, 8, learnt=False)
    table.fill(torch.zeros(4, 2))
    assert not table.vectors.any()
