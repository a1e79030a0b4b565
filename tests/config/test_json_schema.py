"""The schema that editors read agrees with what is loaded."""

from __future__ import annotations

import jsonschema
import pytest

from vall_e.config.json_schema import json_schema
from vall_e.config.load import structure, unstructure
from vall_e.discovery import registry_of
from vall_e.errors import ConfigError


@pytest.fixture(scope="module")
def schema(registry):
    return json_schema(registry)


@pytest.fixture(scope="module")
def validator(schema):
    return jsonschema.Draft202012Validator(schema)


def test_it_is_a_schema(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_defaults_fit(validator, registry):
    validator.validate({})
    validator.validate(unstructure(structure({}, registry)))


@pytest.mark.parametrize(
    "raw",
    [
        {"model": {"backbone": "gru"}},
        {"model": {"backbone": {"layers": 3}}},
        {"model": {"backbone": {"name": "gru", "layers": 3}}},
        {"codec": {"name": "file", "weights": "w", "gains": {"a": 1}, "device": None}},
        {"codec": {"name": "file", "weights": "w", "quality": "low", "rates": {"fast": 1}}},
        {"training": {"levels": "equal"}},
        {"training": {"levels": [0, 1]}},
        {"sampling": {"ar": ["greedy", {"name": "top-p", "p": 1}]}},
        {"data": {"seconds": [1, 2]}},
        {"model": {"backbone": "Plugin:gru"}},
        {"model": {"backbone": {"name": "Plugin:llama", "layers": 3}}},
        {"sampling": {"ar": ["Plugin:greedy", {"name": "Plugin:top-p", "p": 1}]}},
        {"model": None, "training": None, "data": None},
        None,
    ],
)
def test_both_accept(raw, validator, registry):
    structure(raw, registry)
    validator.validate(raw)


@pytest.mark.parametrize(
    "raw",
    [
        {"modle": {}},
        {"model": {"backbone": "gruu"}},
        {"model": {"backbone": {"layers": 0}}},
        {"model": {"backbone": {"layers": 101}}},
        {"model": {"backbone": {"name": "gru", "heads": 3}}},
        {"model": {"dropout": 1}},
        {"model": {"positions": "x"}},
        {"codec": "file"},
        {"codec": {"name": "file"}},
        {"codec": {"name": "file", "weights": "w", "quality": "best"}},
        {"codec": {"name": "file", "weights": "w", "rates": {"slow": 1}}},
        {"training": {"levels": "often"}},
        {"training": {"seed": "1"}},
        {"training": {"seed": True}},
        {"sampling": {"ar": []}},
        {"sampling": {"ar": ["nothing"]}},
        {"sampling": {"ar": [{"p": 1}]}},
        {"data": {"seconds": [1]}},
        {"data": {"seconds": 1}},
        {"data": {"train": "x"}},
    ],
)
def test_both_refuse(raw, validator, registry):
    with pytest.raises(ConfigError):
        structure(raw, registry)
    assert not validator.is_valid(raw)


def test_an_option_brings_its_meaning_default_and_limits(schema):
    llama = schema["properties"]["model"]["properties"]["backbone"]["anyOf"][1]
    assert llama["properties"]["d_model"] == {
        "type": "integer",
        "description": "Width of the vectors.",
        "default": 64,
        "exclusiveMinimum": 0,
    }
    assert schema["$defs"]["sampler"]["anyOf"][0] == {
        "enum": ["greedy", "repetition-aware", "top-p"]
    }
    assert schema["properties"]["codec"]["default"] == "embedded"
    assert schema["properties"]["sampling"]["properties"]["ar"]["minItems"] == 1


def test_a_registry_without_plugins_has_a_schema_too():
    jsonschema.Draft202012Validator.check_schema(json_schema(registry_of([])))
