"""The file that `vall-e config init` writes, and the listing of `show`."""

from __future__ import annotations

from vall_e.config.load import change, load, structure, unstructure
from vall_e.config.template import flat, starter, with_origins
from vall_e.config.value_origin import ValueOrigin
from vall_e.config.yaml_document import read


def plain(text: str) -> object:
    node, mistakes = read(text, lambda line: ValueOrigin("x", line))
    assert not mistakes
    return node.plain()


def test_it_holds_every_default(registry):
    config = structure({}, registry)
    assert plain(starter(config, registry)) == unstructure(config)


def test_it_loads_as_the_defaults(registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.yaml"
    path.write_text(starter(structure({}, registry), registry))
    assert load(path, registry) == load(None, registry)


def test_an_option_stands_below_its_meaning(registry):
    lines = starter(structure({}, registry), registry).splitlines()
    at = lines.index("    d_model: 64")
    assert lines[at - 1] == "    # Width of the vectors. More than 0."
    assert lines[lines.index("  heads: split") - 1].endswith("One of: split, single.")
    assert max(map(len, lines)) <= 100


def test_it_can_start_from_other_components(registry):
    config = change(
        structure({}, registry),
        registry,
        overrides=["sampling.ar=[greedy, top-p]", "codec={name: file, weights: /w, gains: {a: 1}}"],
    )
    text = starter(config, registry)
    assert plain(text) == unstructure(config)
    assert "    - name: greedy\n    - name: top-p\n      # Nucleus size." in text
    assert "  # File of the weights.\n  weights: /w\n" in text


def test_a_listing_is_yaml_with_origins(registry):
    config = structure({"training": {"wrappers": ["compile"]}}, registry)
    text = with_origins(config, lambda where: ".".join(where))
    assert plain(text) == unstructure(config)
    assert "    - name: compile  # training.wrappers.0.name\n" in text
    assert "  languages: [en-us]  # text.languages\n" in text


def test_flat_gives_every_value_with_its_place():
    raw = {"a": {"b": 1, "c": [1, 2]}, "d": [{"name": "x"}], "e": {}}
    assert list(flat(raw)) == [
        (("a", "b"), 1),
        (("a", "c"), [1, 2]),
        (("d", "0", "name"), "x"),
        (("e",), {}),
    ]
