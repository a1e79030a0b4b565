import pytest
import torch

from vall_e.errors import CheckpointError
from vall_e.model.embedding import ModelSizes
from vall_e.model.valle import build_valle
from vall_e.testing.fakes.tiny_model import tiny_config
from vall_e.weights.ecker.tensors import translate, translate_back
from vall_e.weights.ecker_names import TensorNames, named_by

SIZES = ModelSizes(levels=3, codebook_size=8, vocabulary=10, languages=2)


@pytest.fixture(params=["single", "split"])
def model(registry, request):
    backbone = {"name": "llama", "d_model": 8, "layers": 1, "heads": 2}
    config = tiny_config(registry, model={"backbone": backbone, "heads": request.param}).model
    torch.manual_seed(0)
    return build_valle(config, SIZES)


@pytest.fixture
def original(model):
    """The state of the same model, as e-c-k-e-r/vall-e would have saved it."""
    layout = TensorNames(single_head=len(model.heads.layers) == 1)
    state = {layout.called(name): tensor for name, tensor in model.state_dict().items()}
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
        ("backbone.layers.3.mlp.gate.weight", "model.layers.3.block_sparse_moe.gate.weight"),
        (
            "backbone.layers.3.mlp.experts.12.down_proj.weight",
            "model.layers.3.block_sparse_moe.experts.12.w2.weight",
        ),
    ],
)
def test_names_are_those_of_the_original(ours, theirs):
    assert TensorNames().called(ours) == theirs
    assert not ours.startswith("backbone.") or named_by(theirs) == ours


def test_one_head_for_all_levels_has_a_name_of_its_own():
    assert TensorNames(single_head=True).called("heads.layers.0.weight") == "classifier.weight"


def _levels_after_the_first(state):
    """Without what writes level 0, and all lists one shorter."""
    moved = {}
    for name, tensor in state.items():
        for kind in ("resps_emb.embeddings.", "classifiers.proj."):
            if name.startswith(kind):
                number, _, part = name.removeprefix(kind).partition(".")
                name = f"{kind}{int(number) - 1}.{part}" if number != "0" else None
                break
        if name:
            moved[name] = tensor
    return moved


def _no_stop(state):
    """All lists as long, and no row for a token that nothing would say."""
    narrow = ("resps_emb.embeddings.0.", "classifiers.proj.0.", "classifier.")
    return {n: t[: SIZES.codebook_size] if n.startswith(narrow) else t for n, t in state.items()}


@pytest.mark.parametrize("shape", [_levels_after_the_first, _no_stop, lambda state: state])
def test_a_model_without_level_0_is_read_and_written_back_whatever_its_lists_begin_with(
    model, original, shape
):
    state = shape(original)
    found = translate(state, model.state_dict(), ["nar"])
    for name, tensor in model.state_dict().items():
        if name in found.layout.absent:
            assert name.partition(".0.")[0] in ("embedding.response", "heads.layers")
            assert found.tensors[name].equal(torch.zeros_like(tensor))
        else:
            rows = len(tensor) - (name in found.layout.short)
            assert found.tensors[name][:rows].equal(tensor[:rows]), name
    back = translate_back(found.tensors, found.kept, found.layout)
    assert back.keys() == state.keys()
    for name, tensor in state.items():
        assert back[name].equal(tensor), name


def test_a_model_of_level_0_may_lack_what_later_levels_need(model, original):
    later = [f"resps_emb.embeddings.{i}.weight" for i in (1, 2)]
    later += [f"classifiers.proj.{i}.{part}" for i in (1, 2) for part in ("weight", "bias")]
    state = {name: tensor for name, tensor in original.items() if name not in later}
    state["classifiers.proj.1.weight"] = torch.ones(40, 8)  # writes text
    found = translate(state, model.state_dict(), ["ar"])
    assert found.tensors["embedding.prompt.2.weight"].equal(
        original["proms_emb.embeddings.2.weight"]
    )
    back = translate_back(found.tensors, found.kept, found.layout)
    assert back.keys() == state.keys()
    for name, tensor in state.items():
        assert back[name].equal(tensor), name
    with pytest.raises(CheckpointError, match=r"missing resps_emb.embeddings.1.weight"):
        translate(state, model.state_dict())


def test_all_that_does_not_fit_is_named(model, original):
    del original["sep"]
    original["text_emb.weight"] = torch.zeros(4, 8)
    original["resps_emb.embeddings.1.weight"] = torch.zeros(9, 8)  # has no row to spare
    original["mystery"] = torch.zeros(1)
    with pytest.raises(CheckpointError) as caught:
        translate(original, model.state_dict())
    for part in (
        "missing sep",
        "text_emb.weight is (4, 8), expected (10, 8)",
        "resps_emb.embeddings.1.weight is (9, 8), expected (8, 8)",
        "unknown mystery",
    ):
        assert part in caught.value.message
