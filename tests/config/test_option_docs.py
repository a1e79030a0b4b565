"""What is said of an option comes from its class."""

from __future__ import annotations

import attrs
import pytest

from vall_e.config import schema
from vall_e.config.option_docs import documents, limits, summary
from vall_e.config.options import options_of

SECTIONS = [
    value for name, value in vars(schema).items() if name.endswith("Config") and attrs.has(value)
]


@pytest.mark.parametrize("cls", SECTIONS, ids=lambda cls: cls.__name__)
def test_every_option_of_ours_says_what_it_means(cls):
    meanings = documents(cls)
    for option in options_of(cls).values():
        section = attrs.has(option.type) and summary(option.type)
        assert meanings.get(option.key) or section, f"{cls.__name__}.{option.key}"


@pytest.mark.parametrize(
    ("validator", "found"),
    [
        (None, {}),
        (attrs.validators.gt(1), {"exclusiveMinimum": 1}),
        (attrs.validators.and_(attrs.validators.ge(1), attrs.validators.le(2)), None),
        ([attrs.validators.ge(1), attrs.validators.le(2)], {"minimum": 1, "maximum": 2}),
        (attrs.validators.optional(attrs.validators.lt(3)), {"exclusiveMaximum": 3}),
        (attrs.validators.min_len(1), {"minLength": 1}),
        (attrs.validators.max_len(4), {"maxLength": 4}),
        (attrs.validators.matches_re("a+"), {"pattern": "^(?:a+)$"}),
        (attrs.validators.in_(["a", "b"]), {"enum": ["a", "b"]}),
        (lambda instance, attribute, value: None, {}),
    ],
)
def test_limits_are_those_of_the_validators(validator, found):
    cls = attrs.make_class("Config", {"option": attrs.field(validator=validator)})
    expected = {"minimum": 1, "maximum": 2} if found is None else found
    assert limits(attrs.fields(cls).option, of_list=False, of_text=True) == expected


def test_a_class_without_source_has_no_meanings():
    assert documents(attrs.make_class("Config", ["option"])) == {}
