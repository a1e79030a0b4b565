"""What transformers makes of a folder that was exported for it."""

import json
import math
import re
import runpy

import pytest
import torch
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.config.load import change
from vall_e.decoding.ar.loop import decode_ar
from vall_e.decoding.sampler_chain import Chain
from vall_e.errors import CheckpointError
from vall_e.export.formats.hf import HuggingFaceExporter, TokenLayout
from vall_e.export.formats.hf_tokenizer import tokenizer
from vall_e.interfaces.task import Sample
from vall_e.model.sequence import Example
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.text.imported_vocabulary import adopt
from vall_e.text.symbol_splitter import GLUED, Glued
from vall_e.text.unicode_form import canonical
from vall_e.text.vocabulary import HEAD, Vocabulary
from vall_e.weights.file import save

FRAMES = 12
BACKBONE = {"name": "llama", "d_model": 32, "layers": 2, "heads": 4, "kv_heads": 2}
MODEL = {
    "backbone": BACKBONE,
    "prompt_levels": "known",
    "positions": "unified",
    "head_bias": False,
}


def bundle_of(registry, **changes):
    bundle = tiny_bundle(registry, StaircaseCodec(), model={**MODEL, **changes})
    for parameter in bundle.model.parameters():
        parameter.data.mul_(2)  # so that frames differ
    return bundle


@pytest.fixture
def sample(registry):
    codec = StaircaseCodec()
    prompt = torch.arange(codec.levels * 5).reshape(codec.levels, 5) % codec.codebook_size
    text = torch.tensor([1, 9, 14, 7, 20, 2])
    return Sample(text, 0, prompt, torch.zeros(1, 0, dtype=torch.long))


def ours(bundle, sample, registry):
    task = bundle.config.tasks[0].build()
    config = change(bundle.config, registry, overrides=["sampling.ar=[greedy]"], source="a test")
    [written] = decode_ar(
        bundle.model,
        task,
        [sample],
        draw=Chain.of(config.sampling.ar, where="sampling.ar"),
        generators=[torch.Generator()],
        max_frames=[FRAMES],
    )
    return written.level_0.tolist()


@pytest.mark.slow
def test_transformers_writes_the_same_codes(registry, sample, tmp_path):
    transformers = pytest.importorskip("transformers")
    bundle = bundle_of(registry)
    HuggingFaceExporter()(bundle, tmp_path / "hf")
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "hf")
    assert type(model).__name__ == "LlamaForCausalLM"
    layout = TokenLayout.of(bundle)
    segments = bundle.config.tasks[0].build().segments(sample, level=0)
    ids = torch.tensor([layout.ids(segments)])
    with torch.no_grad():
        states = bundle.model.hidden([Example(tuple(segments), 0)])[0]
        expected = bundle.model.logits(states[:, -1], 0)
        found = model(ids).logits[:, -1, layout.response :]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=FRAMES)
    codes = [token - layout.response for token in made[0, ids.shape[1] :].tolist()]
    codes = codes[: codes.index(bundle.model.stop)] if bundle.model.stop in codes else codes
    assert codes == ours(bundle, sample, registry)
    assert len(set(codes)) > 1


@pytest.mark.slow
def test_the_page_in_the_folder_says_how_to_speak(registry, sample, tmp_path):
    """It makes the ids with AutoTokenizer, and gives the codes that we give."""
    pytest.importorskip("transformers")
    bundle = bundle_of(registry)
    HuggingFaceExporter()(bundle, tmp_path / "hf")
    page = (tmp_path / "hf" / "README.md").read_text()
    code, _ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for blank, value in (
        ('"FOLDER"', repr(str(tmp_path / "hf"))),
        ('"..."', repr(bundle.vocabulary.decode(sample.text.tolist()))),
        ("prompt = []", f"prompt = {sample.prompt[0].tolist()}"),
        ("max_new_tokens=1000", f"max_new_tokens={FRAMES}"),
    ):
        assert blank in code
        code = code.replace(blank, value)
    (tmp_path / "speak.py").write_text(code)
    said = runpy.run_path(str(tmp_path / "speak.py"))
    segments = bundle.config.tasks[0].build().segments(sample, level=0)
    assert said["ids"][0].tolist() == TokenLayout.of(bundle).ids(segments)
    assert said["codes"] == ours(bundle, sample, registry)


@pytest.mark.parametrize(
    ("vocabulary", "texts"),
    [
        (Vocabulary.of("abc\u0327 "), ["abc cab", "ca ", "a\u00e7b"]),
        (
            Vocabulary((*HEAD, *GLUED, *"abc ", "a\u02d0", "b\u02c8"), splitting=Glued()),
            ["abc cab", "a\u02d0b\u02c8 b", "ca\u02c8c"],
        ),
        (
            adopt(
                {"<unk>": 0, "<bos>": 1, "</eos>": 2, "<mask>": 3, " ": 4, "a": 5, "\u00e7": 6}
                | {"c": 7, "b": 8, "x": 8, "ac": 9, "bc": 10},
                11,
                merges=[("a", "c"), ("b", "c")],
            ),
            ["acbc", "a\u00e7b", "cxac", "ac ac"],
        ),
    ],
    ids=["characters", "naive", "adopted"],
)
def test_the_tokenizer_reads_phonemes_as_the_vocabulary_does(vocabulary, texts):
    tokenizers = pytest.importorskip("tokenizers")
    names = [*vocabulary.symbols, "<separator>", "<code:7>"]
    read = tokenizers.Tokenizer.from_str(json.dumps(tokenizer(vocabulary, names)))
    for text in map(canonical, texts):
        given = f"<bos>{text}<eos><separator><code:7><code:7>"
        ids = vocabulary.encode(text, unknown="error").ids
        end = len(vocabulary)
        assert read.encode(given).ids == [*ids, end, end + 1, end + 1]
    assert read.decode(read.encode("<code:7>ca").ids) == "<code:7>ca"


def test_the_vocabulary_names_every_token_once(registry, tmp_path):
    bundle = bundle_of(registry)
    HuggingFaceExporter()(bundle, tmp_path / "hf")
    found = json.loads((tmp_path / "hf" / "vocabulary.json").read_text())
    layout = TokenLayout.of(bundle)
    assert sorted(found["tokens"].values()) == list(range(layout.size))
    assert found["tokens"]["<level:0>"] == layout.level
    assert found["tokens"]["<separator>"] == layout.separator
    assert found["tokens"]["<prompt:0>"] == layout.prompt
    assert found["tokens"]["<code:0>"] == layout.response
    assert found["tokens"]["<stop>"] == layout.stop
    assert found["order"] == ["text", "language", "level", "prompt", "response"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("prompt_levels", "all"),
        ("positions", "segment"),
        ("capabilities", ["nar"]),
        ("code_vectors", "codec"),
    ],
)
def test_what_no_single_vocabulary_expresses_is_named(registry, tmp_path, option, value):
    with pytest.raises(CheckpointError, match=rf"model\.{option}") as caught:
        HuggingFaceExporter()(bundle_of(registry, **{option: value}), tmp_path / "hf")
    assert f"model.{option}: " in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_bias_that_says_something_is_named(registry, tmp_path):
    bundle = bundle_of(registry, head_bias=True)
    bundle.model.heads.layers[0].bias.data[0] = math.pi
    with pytest.raises(CheckpointError, match=r"model\.head_bias"):
        HuggingFaceExporter()(bundle, tmp_path / "hf")


def test_a_folder_with_something_in_it_is_left_alone(registry, tmp_path):
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "mine").touch()
    with pytest.raises(CheckpointError, match="already exists"):
        HuggingFaceExporter()(bundle_of(registry), tmp_path / "hf")


def test_the_command_writes_a_folder(registry, tmp_path):
    save(bundle_of(registry), tmp_path / "weights.safetensors")
    arguments = ["export", tmp_path / "weights.safetensors", "--to", "hf", "-o", tmp_path / "hf"]
    result = CliRunner().invoke(cli, [str(a) for a in arguments], obj=App(registry=registry))
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "hf").iterdir()) == [
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocabulary.json",
    ]
    assert "MB" in result.output
