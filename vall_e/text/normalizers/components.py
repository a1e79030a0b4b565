"""The normalizer of the core, and how it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.registry import Component
from vall_e.text.normalizers.options import RulesConfig

if TYPE_CHECKING:
    from vall_e.interfaces.text import Normalizer


def build_rules(config: RulesConfig) -> Normalizer:
    from vall_e.text.normalizers.rules import RuleNormalizer

    return RuleNormalizer(config)


NORMALIZERS: list[Component[Any]] = [
    Component(
        name="rules",
        config=RulesConfig,
        build=build_rules,
        summary="ordered rules with the words of num2words and CLDR; English, German, French, "
        "Spanish",
    ),
]
