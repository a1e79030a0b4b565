import pytest
import torch

from vall_e.errors import CheckpointError
from vall_e.model.embedding import Sizes
from vall_e.model.original import original_name, translate
from vall_e.model.valle import build_valle
from vall_e.testing.tiny import tiny_config

SIZES = Sizes(levels=3, codebook_size=8, vocabulary=10, languages=2)


@pytest.fixture(params=["single", "split"])
def model(registry, request):
    backbone = {"name": "llama", "d_model": 8, "layers": 1, "heads": 2}
    config = tiny_config(registry, model={"backbone": backbone, "heads": request.param}).model
    torch.manual_seed(0)
    return build_valle(config, SIZES)


@pytest.fixture
def original(model):
    """The state of the same model, as the original would have saved it."""
    single = len(model.heads.layers) == 1
    state = {
        original_name(name, single_head=single): tensor
        for name, tensor in model.state_dict().items()
    }
    first = "resps_emb.embeddings.0.weight"
    state[first] = torch.cat([state[first], torch.ones(1, 8)])  # the stop token's row
    state["dropout_token"] = torch.zeros(8)
    state["tasks_emb.weight"] = torch.zeros(9, 8)
    return state


def test_every_tensor_finds_its_counterpart(model, original):
    found = translate(original, model.state_dict())
    assert set(found.tensors) == set(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert found.tensors[name].equal(tensor), name
    assert {name: len(tensor) for name, tensor in found.kept.items()} == {
        "resps_emb.embeddings.0.weight": 1,
        "dropout_token": 8,
        "tasks_emb.weight": 9,
    }
    model.load_state_dict(found.tensors)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("embedding.separator", "sep"),
        ("embedding.prompt.2.weight", "proms_emb.embeddings.2.weight"),
        ("embedding.level.weight", "rvq_l_emb.weight"),
        ("backbone.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.q_proj.weight"),
        ("backbone.norm.weight", "model.norm.weight"),
        ("heads.layers.1.bias", "classifiers.proj.1.bias"),
    ],
)
def test_names_are_those_of_the_original(ours, theirs):
    assert original_name(ours, single_head=False) == theirs


def test_one_head_for_all_levels_has_a_name_of_its_own():
    assert original_name("heads.layers.0.weight", single_head=True) == "classifier.weight"


def test_all_that_does_not_fit_is_named(model, original):
    del original["sep"]
    original["text_emb.weight"] = torch.zeros(4, 8)
    original["resps_emb.embeddings.1.weight"] = torch.zeros(9, 8)  # has no row to spare
    original["mystery"] = torch.zeros(1)
    with pytest.raises(CheckpointError) as caught:
        translate(original, model.state_dict())
    for part in (
        "missing sep",
        "text_emb.weight is (4, 8), wanted (10, 8)",
        "resps_emb.embeddings.1.weight is (9, 8), wanted (8, 8)",
        "unknown mystery",
    ):
        assert part in caught.value.message
