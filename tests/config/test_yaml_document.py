"""YAML 1.2 as people expect it, each trap of YAML 1.1 with a test."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vall_e.config.value_origin import ValueOrigin
from vall_e.config.yaml_document import MAX_NODES, read, write
from vall_e.errors import ConfigError


def origin_at(line: int) -> ValueOrigin:
    return ValueOrigin("run.yaml", line)


def plain(text: str) -> object:
    node, mistakes = read(text, origin_at)
    assert not mistakes
    return node.plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3e-4", 3e-4),
        ("1e3", 1e3),
        (".5", 0.5),
        ("-2.", -2.0),
        ("17", 17),
        ("+3", 3),
        ("010", 10),
        ("0o17", 15),
        ("0xff", 255),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("12:30", "12:30"),
        ("1:2:3.4", "1:2:3.4"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("0b101", "0b101"),
        ("'3'", "3"),
        ("nulls", "nulls"),
        ("1.2.3", "1.2.3"),
        ("!!str 3", "3"),
    ],
)
def test_a_scalar_is_what_it_looks_like(text, value):
    found = plain(f"a: {text}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_a_key_is_text_whatever_it_looks_like():
    assert plain("no: 1\n3: 2\ntrue: 3") == {"no": 1, "3": 2, "true": 3}


def test_a_merge_key_merges_nothing():
    assert plain("a: &a {b: 1}\nc: {<<: *a}") == {"a": {"b": 1}, "c": {"<<": {"b": 1}}}


def test_an_alias_is_a_copy():
    node, _ = read("a: &a [1]\nb: *a", origin_at)
    node.value["b"].value.append(node)
    assert node.value["a"].plain() == [1]


def test_every_value_knows_its_line():
    node, _ = read("a:\n  b: 1\n\n  c:\n    - 2\n    - d:\n        3\n", origin_at)
    lines = {
        "a": 1,
        "a.b": 2,
        "a.c": 4,
        "a.c.0": 5,
        "a.c.1.d": 6,
    }
    for where, line in lines.items():
        assert node.find(tuple(where.split("."))).origin.line == line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3", "run.yaml:3: 'a' is given twice, first on line 1"),
        ("a: !!python/object/apply:os.system [ls]", "run.yaml:1: the tag !!python/object/apply"),
        ("a: !mine x", "run.yaml:1: the tag !mine is not allowed; remove it"),
        ("a: !!int x", "run.yaml:1: 'x' cannot be read as !!int"),
        ("a: " + "9" * 5000, "has 5000 digits, at most 100 are read"),
        ("a: !!set {b, c}", "run.yaml:1: the tag !!set is not allowed"),
        ("? [1, 2]\n: 3", "run.yaml:1: a key must be text"),
    ],
)
def test_what_is_not_plain_data_is_a_mistake(text, says):
    _, mistakes = read(text, origin_at)
    assert len(mistakes) == 1
    assert says in str(mistakes[0])


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        (
            "a: [1, 2",
            "run.yaml:1: this is not YAML: while parsing a flow sequence",
            "close the [bracket]",
        ),
        ("a: 1\n\tb: 2", "run.yaml:2: this is not YAML", "indent with spaces"),
        ("a: {b: 2", "while parsing a flow mapping", "close the {brace}"),
        ("a: 'b", "found unexpected end of stream", "close the quote"),
        ("a: 1\n b: 2\nc", "not YAML", "in quotes"),
        ("a: 1\nbc\nd: 2", "could not find expected ':'", "write `key: value`"),
        ("a:\n  - b\n c: 1", "while parsing a block", "same column"),
        ("a: *b", "found undefined alias 'b'", "begins with *"),
        ("a: b: c", "mapping values are not allowed here", "in quotes"),
        ("a: 1\n---\nb: 2", "run.yaml:2: this is not YAML", "remove the line `---`"),
        ("a: \x00", "this is not YAML: unacceptable character", "plain UTF-8"),
        ("&a [*a]", "an alias inside its own value", "write the value out"),
        ("[" * 500, "nested more than 50 deep", "fewer nested brackets"),
        ("a: " + "{a: " * 60, "nested more than 50 deep", "fewer nested brackets"),
        ("a: [" + "1," * 400_000, "characters, at most 500000 are read", "files of their own"),
        ("a: [" + "b," * 60_000 + "]", "more than 100000 words", "files of their own"),
    ],
)
def test_text_that_is_not_yaml_is_an_error(text, says, hint):
    with pytest.raises(ConfigError) as caught:
        read(text, origin_at)
    assert says in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("number", ["9" * 400, "-" + "1" * 101, "0." + "1" * 200])
def test_a_number_of_hundreds_of_digits_is_a_mistake(number):
    _, [mistake] = read(f"a: {number}", origin_at)
    assert "at most 100 are read" in mistake.message


def test_a_billion_laughs_end_soon():
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises(ConfigError, match=f"more than {MAX_NODES} values"):
        read("\n".join(lines), origin_at)


def test_nothing_global_changes():
    import yaml

    plain("a: no")
    assert yaml.safe_load("a: no") == {"a": False}


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["no", "0o17", "1e3", "12:30", "<<", "=", "~", "a: b", "x #y", " ", "'", "\t"]),
)


texts = st.text(max_size=20)
nested = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=10
)


@settings(deadline=None, max_examples=30)
@given(nested)
def test_what_is_written_reads_back_equal(value):
    text = f"a: {write(value)}"
    assert len(text.splitlines()) == 1
    assert plain(text) == {"a": value}
