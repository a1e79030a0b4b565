"""What a user reads when a value is wrong, and what is taken when it is right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from attrs import field, frozen, validators
from hypothesis import given, settings
from hypothesis import strategies as st

from vall_e.config.errors import WrongValueError
from vall_e.config.load import load, structure, unstructure
from vall_e.config.structure import Structurer
from vall_e.discovery import registry_of
from vall_e.errors import ConfigError, PluginError

if TYPE_CHECKING:
    from decimal import Decimal

GOOD = """\
model:
  backbone: {name: llama, layers: 3, d_model: 64}
  positions: unified
codec:
  name: file
  weights: codec.safetensors
  bits: [4, 6]
  gains: {left: 1.5}
text:
  normalize: true
  languages: [en-us, de]
training:
  seed: 7
  levels: [0, 0, 1]
  optimizer: {name: adamw, lr: 3e-4}
sampling:
  ar: [{name: top-p, p: 0.8}, greedy]
data:
  train: [one, two]
  shares: [1, 2]
"""


@pytest.fixture
def check(registry, tmp_path):
    def check(text: str) -> str:
        path = tmp_path / "run.yaml"
        path.write_text(text)
        with pytest.raises(ConfigError) as caught:
            load(path, registry)
        return caught.value.message.replace(str(path), "run.yaml")

    return check


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        # keys
        ("layers:", "layer:", "2: model.backbone.layer: unknown key, did you mean 'layers'?"),
        ("model:", "modell:", "1: modell: unknown key, did you mean 'model'?"),
        ("model:", "7: 8\nmodel:", "1: 7: unknown key; available: model, codec, text"),
        (
            "text:\n",
            "text:\n  seed: 1\n",
            "10: text.seed: unknown key, did you mean 'training.seed'",
        ),
        (
            "greedy",
            "{name: greedy, k: 1}",
            "17: sampling.ar.1.k: unknown key; there are no options",
        ),
        # components
        (
            "llama",
            "lama",
            "2: model.backbone.name: there is no backbone called 'lama'; did you mean 'll",
        ),
        (
            "[{name: top-p, p: 0.8}, greedy]",
            "[best]",
            "17: sampling.ar.0: there is no sampler called 'best",
        ),
        (
            "name: top-p, ",
            "",
            "17: sampling.ar.0.name: missing; name a sampler: greedy, repetition",
        ),
        (
            "greedy]",
            "3]",
            "17: sampling.ar.1: expected the name of a sampler, or a mapping with `na",
        ),
        (
            "name: llama",
            "name: true",
            "2: model.backbone.name: expected text, got true; put it in q",
        ),
        (
            "{name: adamw, lr: 3e-4}",
            "",
            "15: training.optimizer: expected the name of an optimizer",
        ),
        # numbers
        ("3,", "true,", "2: model.backbone.layers: expected a whole number, got true"),
        ("3,", "'3',", "2: model.backbone.layers: expected a whole number, got '3'; write 3"),
        ("3,", "3.0,", "2: model.backbone.layers: expected a whole number, got 3.0; write 3"),
        ("3,", "2.5,", "2: model.backbone.layers: expected a whole number, got 2.5"),
        ("3,", "1_000,", "2: model.backbone.layers: expected a whole number, got '1_000'; write 1"),
        ("3,", "x,", "2: model.backbone.layers: expected a whole number, got 'x'"),
        ("3,", "[3],", "2: model.backbone.layers: expected a whole number, got [3]"),
        ("3,", "{a: 3},", "2: model.backbone.layers: expected a whole number, got a mapping"),
        ("3,", "0,", "2: model.backbone.layers: must be >= 1: 0"),
        ("3,", "999,", "2: model.backbone.layers: must be <= 100: 999"),
        (
            "3e-4",
            "'3e-4'",
            "15: training.optimizer.lr: expected a number, got '3e-4'; write 0.0003",
        ),
        ("3e-4", "false", "15: training.optimizer.lr: expected a number, got false"),
        ("3e-4", ".inf", "15: training.optimizer.lr: expected a finite number, got inf"),
        ("3e-4", "1e999", "15: training.optimizer.lr: expected a finite number, got inf"),
        ("0.8", "1.5", "17: sampling.ar.0.p: must be <= 1: 1.5"),
        ("64", "66", "2: model.backbone: d_model (66) must be divisible by heads (4); try d_model"),
        # text, booleans, choices
        ("de]", "false]", "11: text.languages.1: expected text, got false; put it in quotes"),
        ("de]", "12]", "11: text.languages.1: expected text, got 12; put it in quotes"),
        ("de]", "en-us]", "11: text.languages: must not list anything twice: ['en-us', 'en-us']"),
        ("true", "yes", "10: text.normalize: expected true or false, got 'yes'; write true"),
        ("true", "0", "10: text.normalize: expected true or false, got 0; write false"),
        ("true", "maybe", "10: text.normalize: expected true or false, got 'maybe'"),
        (
            "unified",
            "unifid",
            "3: model.positions: expected one of 'segment', 'unified', got 'unif",
        ),
        (
            "unified",
            "unifid",
            "3: model.positions: expected one of 'segment', 'unified', got 'unifid'"
            ", did you mean 'unified'?",
        ),
        (
            "[0, 0, 1]",
            "often",
            "14: training.levels: expected one of 'auto', 'equal', 'normal', got 'of",
        ),
        ("[0, 0, 1]", "[0, x]", "14: training.levels.1: expected a whole number, got 'x'"),
        ("[0, 0, 1]", "[]", "14: training.levels: must list levels from 0 on: []"),
        (
            "[0, 0, 1]",
            "{}",
            "14: training.levels: expected one of 'auto', 'equal', 'normal' or a l",
        ),
        # lists, mappings, paths
        ("[one, two]", "one", "19: data.train: expected a list, got 'one'; put it in [brackets]"),
        (
            "[1, 2]",
            "[1]",
            "20: data.shares: must have one number for each folder in `train`: [1.0]",
        ),
        ("[4, 6]", "[4]", "7: codec.bits: expected a list of 2, got 1: [4]"),
        ("[4, 6]", "[4, y]", "7: codec.bits.1: expected a whole number, got 'y'"),
        ("{left: 1.5}", "[1.5]", "8: codec.gains: expected a mapping, got [1.5]"),
        ("{left: 1.5}", "{left: hi}", "8: codec.gains.left: expected a number, got 'hi'"),
        ("  weights: codec.safetensors\n", "", "4: codec.weights: missing, expected a path"),
        ("codec.safetensors", "5", "6: codec.weights: expected a path, got 5; put it in quotes"),
        (
            "  bits:",
            "  quality: best\n  bits:",
            "7: codec.quality: expected one of 'low', 'high', g",
        ),
        ("  bits:", "  rates: {slow: 1}\n  bits:", "7: codec.rates.fast: missing, expected a numb"),
        ("  bits:", "  device: 3\n  bits:", "7: codec.device: expected text or nothing, got 3"),
        ("data:\n", "data: none\nx:\n", "18: data: expected a mapping, got 'none'"),
    ],
)
def test_a_mistake_is_explained(check, old, new, says):
    assert f"run.yaml:{says}" in check(GOOD.replace(old, new, 1))


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file(check):
    text = GOOD.replace("layers: 3", "layers: 0").replace("d_model: 64", "d_model: -1")
    text = (
        text.replace("seed: 7", "seed: 7\n  seed: 8").replace("0.8", "often").replace("de]", "1]")
    )
    assert check(text).splitlines() == [
        "run.yaml: 5 mistakes",
        "  run.yaml:2: model.backbone.d_model: must be > 0: -1",
        "  run.yaml:2: model.backbone.layers: must be >= 1: 0",
        "  run.yaml:11: text.languages.1: expected text, got 1; put it in quotes",
        "  run.yaml:14: 'seed' is given twice, first on line 13",
        "  run.yaml:18: sampling.ar.0.p: expected a number, got 'often'",
    ]


def test_what_could_not_be_read_is_reported_once(check):
    text = GOOD.replace("codec.safetensors", "!!python/name:os.system x")
    assert check(text) == ("run.yaml:6: the tag !!python/name:os.system is not allowed; remove it")


def test_a_mistake_in_plain_data_names_its_source(registry):
    with pytest.raises(ConfigError) as caught:
        structure({"codec": "flie"}, registry, source="model.safetensors")
    assert caught.value.message == (
        "model.safetensors: codec: there is no codec called 'flie'; did you mean 'file'?"
    )
    assert caught.value.mistakes[0].where == ("codec",)


@pytest.mark.parametrize("raw", [None, {}, {"model": None, "sampling": {}}])
def test_nothing_written_means_the_defaults(registry, raw):
    config = structure(raw, registry)
    assert config.model.backbone.component.name == "llama"
    assert config.model.backbone.options.layers == 2
    assert [choice.name for choice in config.sampling.ar] == ["repetition-aware"]
    assert [choice.name for choice in config.tasks] == ["tts"]


def test_options_without_a_name_belong_to_the_default_component(registry):
    config = structure({"model": {"backbone": {"layers": 5}}}, registry)
    assert config.model.backbone.name == "llama"
    assert config.model.backbone.options.layers == 5


def test_a_default_that_is_not_installed_is_a_mistake():
    with pytest.raises(
        ConfigError, match="codec: there is no codec called 'embedded'; installed: none"
    ):
        structure({}, registry_of([]))


def test_a_name_may_say_whose_component_it_is(registry):
    config = structure({"codec": "Plugin:embedded"}, registry)
    assert config.codec.component.name == "embedded"
    assert unstructure(config)["codec"] == {"name": "Plugin:embedded"}
    assert config == structure({}, registry)


def test_whole_numbers_do_for_numbers(registry):
    config = structure({"synthesis": {"max_seconds": 5}}, registry)
    assert type(config.synthesis.max_seconds) is float


def test_round_trip(registry):
    raw = {
        "codec": {
            "name": "file",
            "weights": "w",
            "quality": "low",
            "gains": {"left": 1.5},
            "device": "cpu",
            "rates": {"fast": 2, "slow": 1},
            "scale": 3.0,
        },
        "training": {
            "levels": [0, 1],
            "optimizer": {"name": "adamw", "groups": ["b", "a"]},
            "wrappers": ["compile"],
        },
    }
    config = structure(raw, registry)
    assert config.codec.options.weights == Path("w")
    assert config.training.optimizer.options.groups == {"a", "b"}
    assert structure(unstructure(config), registry) == config
    assert unstructure(config)["codec"]["quality"] == "low"


numbers = st.floats(min_value=0.01, max_value=1e6)
sections = st.fixed_dictionaries(
    {},
    optional={
        "text": st.fixed_dictionaries(
            {"languages": st.lists(st.text(max_size=5), min_size=1, unique=True)}
        ),
        "data": st.fixed_dictionaries({"batch_seconds": numbers, "workers": st.integers(0, 9)}),
        "training": st.fixed_dictionaries(
            {
                "levels": st.sampled_from(["auto", "equal", "normal"])
                | st.lists(st.integers(0, 7), min_size=1),
                "seed": st.integers(0, 2**32 - 1),
                "optimizer": st.fixed_dictionaries({"name": st.just("adamw"), "lr": numbers}),
            }
        ),
        "sampling": st.fixed_dictionaries(
            {
                "ar": st.lists(
                    st.just("greedy")
                    | st.fixed_dictionaries({"name": st.just("top-p"), "p": st.floats(0.01, 1)}),
                    min_size=1,
                )
            }
        ),
    },
)


def test_every_configuration_reads_back_equal(registry):
    @settings(deadline=None, max_examples=15)
    @given(sections)
    def law(raw: dict[str, Any]) -> None:
        config = structure(raw, registry)
        again = unstructure(config)
        assert structure(again, registry) == config
        assert unstructure(structure(again, registry)) == again

    law()


@frozen
class Crossed:
    low: int = 0
    high: int = field(default=1)

    @high.validator
    def _above_low(self, attribute, value):
        if value <= self.low:
            raise ValueError("must be above `low`")


@frozen
class Post:
    n: int = 0

    def __attrs_post_init__(self) -> None:
        if self.n == 1:
            raise ValueError("n must not be 1")
        if self.n == 2:
            raise ZeroDivisionError


@frozen
class Several:
    union: int | str = 1
    number: int | float = 1.5
    mapping: Mapping[str, Mapping[str, int]] = field(factory=dict)
    anything: Any = None
    listed: list[Literal[1, 2]] = field(factory=list)
    colour: str = field(default="red", validator=validators.in_(["red", "blue"]))


@frozen
class Unreadable:
    amount: Decimal | None = None


@frozen
class Impossible:
    number: complex = 1j


def make(raw: object, cls: type) -> Any:
    return Structurer(registry_of([])).structure(raw, cls)


def mistakes(raw: object, cls: type) -> list[str]:
    with pytest.raises(WrongValueError) as caught:
        make(raw, cls)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_validator_may_look_at_another_option():
    assert mistakes({"low": 3, "high": 2}, Crossed) == ["high: must be above `low`"]
    assert mistakes({"low": "x", "high": 2}, Crossed) == ["low: expected a whole number, got 'x'"]
    assert make({"low": 1, "high": 2}, Crossed) == Crossed(1, 2)


def test_a_class_may_check_itself():
    assert mistakes({"n": 1}, Post) == ["n must not be 1"]


def test_a_bug_in_a_config_class_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        make({"n": 2}, Post)


def test_other_types_of_options_work():
    raw = {
        "union": "x",
        "number": 3,
        "mapping": {"a": {"b": 1}},
        "anything": [1, "x"],
        "listed": [1, 2],
    }
    made = make(raw, Several)
    assert (made.union, made.number, made.listed) == ("x", 3, [1, 2])
    assert made.mapping == {"a": {"b": 1}}
    assert mistakes({"union": 1.5}, Several) == ["union: expected a whole number or text, got 1.5"]
    assert mistakes({"mapping": {"a": {"b": "x"}}}, Several) == [
        "mapping.a.b: expected a whole number, got 'x'"
    ]
    assert mistakes({"listed": [True]}, Several) == ["listed.0: expected one of 1, 2, got true"]
    assert "must be in" in mistakes({"colour": "green"}, Several)[0]


@pytest.mark.parametrize(
    ("cls", "raw", "says"),
    [
        (Unreadable, {}, "the types of .*Unreadable cannot be read: name 'Decimal' is not defined"),
        (Impossible, {"number": "x"}, "number: no YAML value can become a .*complex"),
    ],
)
def test_a_config_class_that_cannot_work_is_the_plugins_mistake(cls, raw, says):
    with pytest.raises((WrongValueError, PluginError), match=says):
        make(raw, cls)


def test_not_a_number_is_not_a_number():
    assert mistakes(math.nan, float) == ["expected a finite number, got nan"]
    assert mistakes("nan", float) == ["expected a number, got 'nan'"]
    assert "expected a finite number, got 1000" in mistakes(10**400, float)[0]


@pytest.mark.parametrize("section", ["synthesis", "training"])
def test_a_number_of_threads_that_would_end_the_process_is_refused(check, section):
    assert f"{section}.threads" in check(f"{section}: {{threads: 5000}}")
