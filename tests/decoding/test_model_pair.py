from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import evolve

from vall_e.errors import CheckpointError
from vall_e.model.lora import Terms
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.load import LoadOptions, open_parts
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import load, save
from vall_e.weights.lora_file import LoraFile, write_lora

BACKBONE = {"name": "llama", "d_model": 16, "layers": 1, "heads": 2}
SHORT = {"max_seconds": 0.2, "seconds_per_symbol": [0.0, 0.25], "chunk_seconds": 0.1}


@pytest.fixture(scope="module")
def bundle(registry, codec):
    """Make a tiny model; keywords are options of `model`."""

    def make(*capabilities, seed=0, synthesis=SHORT, **model):
        options = {"backbone": BACKBONE, "capabilities": list(capabilities), **model}
        return tiny_bundle(
            registry, codec, seed=seed, model=options, codec="staircase", synthesis=synthesis
        )

    return make


def _codes(bundle, codec, nar=None, **request):
    synthesizer = Synthesizer(Parts.of(bundle, codec, nar=nar), device="cpu")
    return synthesizer.synthesize("hello", seed=1, **request).codes.values


def test_a_model_beside_itself_says_what_it_says_alone(bundle, codec):
    both = bundle("ar", "nar")
    assert np.array_equal(_codes(both, codec, both), _codes(both, codec))


def test_level_0_is_of_the_one_and_the_others_are_of_the_other(bundle, codec):
    first, second, third = bundle("ar"), bundle("nar", seed=1), bundle("nar", seed=2)
    alone, pair, other = (_codes(first, codec, nar) for nar in (None, second, third))
    assert (len(alone), len(pair)) == (1, codec.levels)
    assert np.array_equal(pair[0], alone[0])
    assert np.array_equal(pair[0], other[0])
    assert not np.array_equal(pair[1:], other[1:])


def test_a_window_makes_the_same_pair_sound_sooner(bundle, codec):
    windowed = bundle("ar", synthesis={**SHORT, "window_seconds": 0.1})
    synthesizer = Synthesizer(Parts.of(windowed, codec, nar=bundle("nar")), device="cpu")
    stream = synthesizer.stream("hello", seed=1)
    joined = np.concatenate([chunk.audio for chunk in stream])
    assert np.array_equal(joined, synthesizer.synthesize("hello", seed=1).audio)


def test_files_are_paired_by_name(bundle, codec, registry, tmp_path):
    first, second = tmp_path / "ar.safetensors", tmp_path / "nar.safetensors"
    save(bundle("ar"), first)
    save(bundle("nar", seed=1), second)
    parts = open_parts(LoadOptions(model=first, nar=second), registry)
    assert parts.identity["model"]["file"] == "ar.safetensors"
    assert parts.identity["nar"]["file"] == "nar.safetensors"
    spoken = Synthesizer(parts, device="cpu").synthesize("hello", seed=1).codes.values
    loaded = (load(path, registry) for path in (first, second))
    first_bundle, second_bundle = loaded
    assert np.array_equal(spoken, _codes(first_bundle, codec, second_bundle))


def test_a_model_may_name_the_one_that_continues(bundle, codec, registry, tmp_path):
    first, *others = (tmp_path / f"{name}.safetensors" for name in ("ar", "nar", "other"))
    save(bundle("ar", synthesis={**SHORT, "nar": str(others[0])}), first)
    for seed, path in enumerate(others):
        save(bundle("nar", seed=seed), path)
    found = [
        open_parts(LoadOptions(model=first, nar=nar), registry).identity["nar"]["file"]
        for nar in (None, others[1])
    ]
    assert found == ["nar.safetensors", "other.safetensors"]
    with_options = open_parts(LoadOptions(model=first, config=bundle("ar").config), registry)
    assert with_options.identity["nar"]["file"] == "nar.safetensors"
    loras = {}
    for name, levels in (("all", ()), ("first", (0,))):
        loras[name] = str(tmp_path / f"{name}.safetensors")
        tensors = {"x.lora_a": torch.zeros(2, 4), "x.lora_b": torch.zeros(4, 2)}
        write_lora(LoraFile(Terms(2, 4.0, levels=levels), "", {}, tensors), Path(loras[name]))
    for alone in ({"overrides": ["synthesis.nar=''"]}, {"loras": [loras["all"]]}):
        assert "nar" not in open_parts(LoadOptions(model=first, **alone), registry).identity
    both = open_parts(LoadOptions(model=first, loras=[loras["first"]]), registry)
    assert both.identity["nar"]["file"] == "nar.safetensors"
    others[0].unlink()
    with pytest.raises(CheckpointError, match=r"nar\.safetensors .* is not beside it"):
        open_parts(LoadOptions(model=first), registry)
    with pytest.raises(CheckpointError, match=r"there is no weights file .*/gone\.safetensors"):
        open_parts(
            LoadOptions(model=first, overrides=[f"synthesis.nar={tmp_path}/gone.safetensors"]),
            registry,
        )


def test_what_does_not_go_together_is_refused(bundle, codec):
    ar, nar = bundle("ar"), bundle("nar")
    languages = evolve(nar.config.text, languages=("de",))
    fewer = evolve(nar.model.sizes, codebook_size=5)
    narrow = bundle("nar")
    narrow.model.sizes = fewer
    short = bundle("nar")
    short.model.sizes = evolve(short.model.sizes, levels=2)
    for first, second, message in (
        (ar, ar, "of `nar=` lacks the capability nar: it has ar"),
        (nar, nar, "does not write level 0"),
        (bundle("ar", pattern="delay"), nar, "writes all levels by itself"),
        (ar, evolve(nar, codec="other:1"), "codes of the codec .*, that of `nar=` other:1"),
        (ar, narrow, "codebooks of 8, that of `nar=` 5"),
        (ar, evolve(nar, config=evolve(nar.config, text=languages)), "languages en-us, that of"),
        (ar, evolve(nar, vocabulary=type(nar.vocabulary).of("xyz")), "different vocabularies"),
        (ar, short, "trained with . levels"),
    ):
        with pytest.raises(CheckpointError, match=message):
            Parts.of(first, codec, nar=second)
    with pytest.raises(CheckpointError, match="does not write level 0"):
        Parts.of(nar, codec)
