"""Files, the environment and --set: which wins, where a value comes from, which folder counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from attrs import evolve, frozen

from vall_e.config.json_schema import json_schema
from vall_e.config.load import (
    change,
    load,
    load_with_origins,
    structure,
    unstructure,
    without_folders,
)
from vall_e.discovery import discover, registry_of
from vall_e.errors import ConfigError
from vall_e.hookspecs import hookimpl
from vall_e.registry import CORE, Component, Registry

FILE = """\
model: {backbone: {name: llama, layers: 3}}
training: {seed: 1, output: out}
sampling:
  ar:
    - {name: top-p, p: 0.8}
    - greedy
data: {train: [one, /two]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(FILE)
    return path


def test_the_later_source_wins(path, registry):
    env = {"VALL_E__TRAINING__SEED": "2", "VALL_E_PLUGINS": "x", "HOME": "y"}
    assert load(None, registry).training.seed == 0
    assert load(path, registry).training.seed == 1
    assert load(path, registry, environ=env).training.seed == 2
    both = load(path, registry, environ=env, overrides=["training.seed=3", "training.seed=4"])
    assert both.training.seed == 4


def test_an_empty_file_is_a_valid_run(tmp_path, registry):
    path = tmp_path / "run.yaml"
    for text in ("", "# nothing\n", "model:\ntraining:\n", "\ufeffmodel: {}"):
        path.write_text(text, encoding="utf-8")
        assert load(path, registry).model == structure({}, registry).model


def test_a_variable_with_one_underscore_is_warned_of(path, registry, caplog):
    load(path, registry, environ={"VALL_E_TRAINING__SEED": "2", "VALL_E_PLUGINS": "x"})
    assert caplog.messages == [
        "VALL_E_TRAINING__SEED has no effect: did you mean VALL_E__TRAINING__SEED?"
    ]


def test_the_real_environment_is_not_read(path, registry):
    os.environ["VALL_E__TRAINING__SEED"] = "99"
    try:
        assert load(path, registry).training.seed == 1
    finally:
        del os.environ["VALL_E__TRAINING__SEED"]


@pytest.mark.parametrize(
    ("override", "where", "value"),
    [
        ("training.seed=5", "training.seed", 5),
        ("training.seed = 5", "training.seed", 5),
        ("model.dropout=1e-1", "model.dropout", 0.1),
        ("text.languages=[no, de]", "text.languages", ["no", "de"]),
        ("training.levels=[0, 1]", "training.levels", [0, 1]),
        ("training.device='2'", "training.device", "2"),
        ("text.unknown=error", "text.unknown", "error"),
        ("training.device=a=b", "training.device", "a=b"),
        (
            "model.backbone.layers=4",
            "model.backbone",
            {"name": "llama", "d_model": 64, "layers": 4},
        ),
        ("model.backbone=gru", "model.backbone", {"name": "gru", "d_model": 64, "layers": 2}),
        ("model.backbone.name=gru", "model.backbone", {"name": "gru", "d_model": 64, "layers": 2}),
        ("model.backbone={name: gru, layers: 9}", "model.backbone.layers", 9),
        ("training.optimizer.lr=1", "training.optimizer.lr", 1.0),
        ("training.optimizer.betas.0=0.5", "training.optimizer.betas", [0.5, 0.98]),
        ("sampling.ar.top-p.p=0.7", "sampling.ar.0.p", 0.7),
        ("sampling.ar.top_p.p=0.7", "sampling.ar.0.p", 0.7),
        ("sampling.ar.0.p=0.7", "sampling.ar.0.p", 0.7),
        ("sampling.ar.1=top-p", "sampling.ar.1", {"name": "top-p", "p": 0.9}),
        ("sampling.ar.greedy=top-p", "sampling.ar.1", {"name": "top-p", "p": 0.9}),
        ("sampling.ar=[greedy]", "sampling.ar", [{"name": "greedy"}]),
        ("sampling.nar=[{name: top-p, p: 1}]", "sampling.nar", [{"name": "top-p", "p": 1.0}]),
        ("training.wrappers=[compile]", "training.wrappers", [{"name": "compile"}]),
        ("data.seconds.1=9", "data.seconds", [0.5, 9.0]),
        ("data={}", "data.train", []),
    ],
)
def test_an_override_sets_one_value(path, registry, override, where, value):
    found = unstructure(load(path, registry, overrides=[override]))
    for key in where.split("."):
        found = found[int(key) if key.isdigit() else key]
    if isinstance(found, dict):
        found = {key: found[key] for key in value}
    assert found == value


def test_an_override_changes_a_default_sampler(registry):
    config = load(None, registry, overrides=["sampling.ar.repetition-aware.p=0.5"])
    assert config.sampling.ar[0].options.p == 0.5


def test_later_overrides_see_the_earlier_ones(path, registry):
    overrides = ["sampling.ar=[greedy, top-p]", "sampling.ar.top-p.p=0.1"]
    assert load(path, registry, overrides=overrides).sampling.ar[1].options.p == 0.1


def test_variables_reach_sections_components_and_lists(path, registry):
    config = load(
        path,
        registry,
        environ={
            "VALL_E__MODEL__BACKBONE__D_MODEL": "8",
            "VALL_E__MODEL__BACKBONE": "gru",
            "VALL_E__SAMPLING__AR__TOP_P__P": "3e-1",
            "VALL_E__TEXT__LANGUAGES": "[no]",
        },
    )
    assert config.model.backbone.name == "gru"
    assert config.model.backbone.options.d_model == 8
    assert config.sampling.ar[0].options.p == 0.3
    assert config.text.languages == ("no",)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("training.sed=5", "--set: training.sed: unknown key, did you mean 'seed'?"),
        ("modle.dropout=5", "--set: modle: unknown key, did you mean 'model'?"),
        ("seed=5", "--set: seed: unknown key, did you mean 'training.seed'?"),
        ("model.codec=x", "--set: model.codec: unknown key, did you mean 'codec' at the top?"),
        ("model.backbone.seed=5", "--set: model.backbone.seed: unknown key; available: d_model,"),
        ("training.seed=x", "--set: training.seed: expected a whole number, got 'x'"),
        ("training.seed=", "--set: training.seed: there is no value; write"),
        ("training.seed.x=1", "--set: training.seed: expected a whole number, got a mapping"),
        (
            "model.backbone=grru",
            "--set: model.backbone: there is no backbone called 'grru'; did you",
        ),
        ("model.backbone.name=7", "--set: model.backbone.name: expected text, got 7"),
        ("model.backbone.layer=7", "--set: model.backbone.layer: unknown key, did you mean 'lay"),
        ("sampling.ar.top-k.p=1", "--set: sampling.ar.top-k.p: there is no entry called 'top-k'"),
        ("sampling.ar.x.p=1", "--set: sampling.ar.x.p: there is no entry called 'x'; available"),
        ("sampling.ar.7.p=1", "--set: sampling.ar.7.p: there is no entry called '7'; available"),
        (
            "training.wrappers.x.y=1",
            "--set: training.wrappers.x.y: there is no entry called 'x'; available: none",
        ),
        ("data.train.2=x", "--set: data.train.2: there is no entry '2'; the list has 2"),
        ("training.seed", "--set: 'training.seed' is not of the form section.option=value"),
        ("training..seed=1", "--set: training..seed: '1' is not of the form"),
        ("=1", "--set: '1' is not of the form"),
        ("training=", "--set: training: there is no value; write training=VALUE"),
        ("training.seed= ", "--set: training.seed: there is no value"),
        ("sampling.ar.top-p.q=1", "--set: sampling.ar.top-p.q: unknown key"),
        ("text.languages={a: 1, a: 2}", "--set: text.languages: 'a' is given twice, first on line"),
        ("training.output=!!python/name:os x", "--set: training.output: the tag !!python/name:os"),
    ],
)
def test_a_wrong_override_is_explained(path, registry, override, says):
    with pytest.raises(ConfigError) as caught:
        load(path, registry, overrides=[override])
    assert says in caught.value.message


def test_text_that_is_not_yaml_names_the_override(path, registry):
    with pytest.raises(ConfigError, match=r"^--set: this is not YAML: "):
        load(path, registry, overrides=["text.languages=[de"])


def test_two_entries_of_one_name_must_be_distinguished(path, registry):
    overrides = ["sampling.ar=[top-p, top-p]", "sampling.ar.top-p.p=0.1"]
    with pytest.raises(ConfigError, match="2 are called 'top-p'; use a number: 0, 1"):
        load(path, registry, overrides=overrides)


def test_a_wrong_variable_is_named(path, registry):
    environ = {"VALL_E__TRAINIG__SEED": "1", "VALL_E__TRAINING__KEEP": "0"}
    with pytest.raises(ConfigError) as caught:
        load(path, registry, environ=environ)
    assert caught.value.message.splitlines() == [
        f"{path}: 2 mistakes",
        "  environment VALL_E__TRAINIG__SEED: trainig: unknown key, did you mean 'training'?",
        "  environment VALL_E__TRAINING__KEEP: training.keep: must be > 0: 0",
    ]


def test_mistakes_of_all_sources_are_reported_together(path, registry):
    path.write_text("codec: flie\n")
    with pytest.raises(ConfigError) as caught:
        load(path, registry, overrides=["x"], environ={"VALL_E__A": "1"})
    assert len(caught.value.mistakes) == 3


def test_every_value_has_an_origin(path, registry):
    loaded = load_with_origins(
        path,
        registry,
        overrides=["sampling.ar.top-p.p=0.7", "model.dropout=0.1"],
        environ={"VALL_E__TRAINING__SEED": "5"},
    )
    origins = {
        "training.seed": "environment VALL_E__TRAINING__SEED",
        "training.output": f"{path}:2",
        "training.keep": "default",
        "sampling.ar.0.p": "--set",
        "sampling.ar.0.name": f"{path}:5",
        "sampling.ar.1.name": f"{path}:6",
        "sampling.nar.0.name": "default",
        "model.dropout": "--set",
        "model.backbone.layers": f"{path}:1",
        "model.backbone.d_model": "default",
        "data.train": f"{path}:7",
    }
    found = {key: str(loaded.origin(tuple(key.split(".")))) for key in origins}
    assert found == origins


def test_paths_of_a_file_count_from_its_folder(path, registry, tmp_path):
    config = load(path, registry)
    assert config.data.train == (str(tmp_path / "one"), "/two")
    assert config.training.output == str(tmp_path / "out")


def test_default_paths_count_from_the_file_too(path, registry, tmp_path):
    path.write_text("text: {phonemizer: none}")
    config = load(path, registry, overrides=["training.seed=1"])
    assert config.training.output == str(tmp_path / "runs" / "valle")
    assert config.text.phonemizer.options.folder == tmp_path / "cache"


def test_a_path_that_is_not_given_stays_empty(path, registry):
    assert load(path, registry).text.tokenizer_file == ""


def test_paths_from_outside_count_from_the_working_directory(path, registry):
    config = load(
        path,
        registry,
        overrides=["data.train.0=here", "text.phonemizer={name: none, folder: ~/x}"],
        environ={"VALL_E__TRAINING__OUTPUT": "there"},
    )
    assert config.data.train == (os.path.abspath("here"), "/two")
    assert config.text.phonemizer.options.folder == Path.home() / "x"
    assert config.training.output == os.path.abspath("there")
    assert load(None, registry).training.output == os.path.abspath("runs/valle")


def test_plain_data_keeps_its_paths(registry):
    assert structure({"data": {"train": ["x"]}}, registry).data.train == ("x",)


def test_a_finished_configuration_can_be_changed(path, registry):
    config = load(path, registry)
    changed = change(config, registry, overrides=["sampling.ar.top-p.p=0.5"])
    assert changed.sampling.ar[0].options.p == 0.5
    assert config.sampling.ar[0].options.p == 0.8
    assert changed.data == config.data
    with pytest.raises(ConfigError, match="max_second: unknown key"):
        change(config, registry, overrides=["synthesis.max_second=5"], source="m.safetensors")
    assert change(config, registry, environ={"VALL_E__TRAINING__SEED": "8"}).training.seed == 8


def test_what_is_given_away_names_no_folders(path, registry):
    config = without_folders(load(path, registry, overrides=["text.phonemizer=none"]))
    assert config.data.train == ("one", "two")
    assert config.training.output == "out"
    assert config.text.phonemizer.options.folder == Path("cache")


def test_two_configurations_live_side_by_side(path, registry):
    first = load(path, registry)
    second = load(path, registry, overrides=["model.backbone=gru"])
    assert first.model.backbone.name == "llama"
    assert second.model.backbone.name == "gru"
    assert first == load(path, registry)


@pytest.mark.parametrize(
    ("content", "says", "hint"),
    [
        (None, "cannot be read: No such file", "vall-e config init"),
        (b"\xff\xfe", "is not UTF-8 text (byte 0)", "save it as UTF-8"),
        (b"a: [", "this is not YAML", "close the [bracket] or"),
        (b"- a", "expected a mapping, got ['a']", "vall-e config show"),
        (b"hello", "expected a mapping, got 'hello'", "vall-e config show"),
    ],
)
def test_a_file_that_has_no_configuration_is_named(tmp_path, registry, content, says, hint):
    path = tmp_path / "run.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, registry)
    assert str(path) in caught.value.message
    assert says in caught.value.message
    assert hint is None or hint in caught.value.hint


def test_loading_needs_no_torch():
    code = (
        "import sys, vall_e.config.load, vall_e.config.json_schema, vall_e.config.template\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Squatter:
    """A plugin that offers names of built-in components, unasked."""

    @hookimpl
    def vall_e_register_backbones(self):
        return [Component("llama", Squat, Squat, "not the llama")]

    @hookimpl
    def vall_e_register_samplers(self):
        return [Component("greedy", Squat, Squat, "not greedy")]


@frozen
class Squat:
    """No options."""


@pytest.fixture
def crowded(registry):
    """The registry with a plugin whose names collide with built-in ones."""
    own = [evolve(offer, distribution=CORE) for offer in registry.offers]
    return Registry([*own, *registry_of([Squatter()]).offers])


def test_a_plugin_with_the_name_of_a_default_changes_no_default(crowded, registry):
    defaults = load(None, crowded)
    assert defaults == load(None, registry)
    assert defaults.model.backbone.name == "vall-e:llama"
    assert change(defaults, crowded, overrides=["model.backbone.layers=3"]).model
    assert load(None, crowded, overrides=["model.backbone.layers=3"]).model


def test_a_plugin_with_a_built_in_name_changes_no_saved_config(crowded, registry):
    saved = unstructure(structure({}, registry))
    assert saved["model"]["backbone"]["name"] == "llama"
    assert structure(saved, crowded) == structure({}, registry)


def test_saved_names_tell_the_owner_of_what_is_not_built_in(crowded):
    config = load(None, crowded, overrides=["model.backbone=Squatter:llama"])
    model = unstructure(config, owners=True)["model"]
    assert model["backbone"]["name"] == "Squatter:llama"
    assert model["attention"]["name"] == "auto"


def test_a_user_who_writes_a_name_of_two_must_say_which(crowded):
    with pytest.raises(ConfigError, match="two plugins offer the backbone 'llama'"):
        load(None, crowded, overrides=["model.backbone=llama"])


def test_an_editor_knows_the_default_beside_a_plugin_of_its_name(crowded):
    schema = json_schema(crowded)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate({"model": {"backbone": {"layers": 2}}})
    validator.validate({"model": {"backbone": "vall-e:llama"}})
    assert not validator.is_valid({"model": {"backbone": "llama"}})


def test_paths_of_built_in_components_count_from_the_file_and_are_stripped(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(
        "text: {phonemizer: {name: espeak, library: lib/espeak.so, data: data}}\n"
        "codec: {name: vocos, path: a/vocos.bin, encodec_path: a/encodec.th, cache: kept}\n"
    )
    config = load(path, discover(load_plugins=False))
    espeak, codec = config.text.phonemizer.options, config.codec.options
    assert (espeak.library, espeak.data) == (tmp_path / "lib" / "espeak.so", tmp_path / "data")
    assert codec.encodec_path == tmp_path / "a" / "encodec.th"
    assert codec.cache == tmp_path / "kept"
    assert without_folders(config).codec.options.path == Path("vocos.bin")


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("training.seed=-1", "must be >= 0"),
        ("training.seed=4294967296", "must be < 4294967296"),
        ("tasks=[tts, tts]", "must not list anything twice: \\['tts', 'tts'\\]"),
        ("model.backbone={d_model: 100, heads: 3}", "must be a multiple of 2 x heads"),
        ("model.backbone={heads: 4, kv_heads: 3}", "set kv_heads: 0 for as many as heads"),
    ],
)
def test_what_cannot_run_is_reported_before_it_runs(override, says):
    with pytest.raises(ConfigError, match=says):
        load(None, discover(load_plugins=False), overrides=[override])
