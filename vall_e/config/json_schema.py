"""The JSON Schema (2020-12) of a run file, with the options of every installed plugin.

Editors use it for completion and checks: `# yaml-language-server: $schema=FILE`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

import attrs
from attrs import field, frozen

from vall_e.config.choices import Choice
from vall_e.config.include import INCLUDE
from vall_e.config.option_docs import documents, limits, summary
from vall_e.config.options import Option, is_choice, members, options_of
from vall_e.config.schema import RunConfig
from vall_e.config.structure import unstructure
from vall_e.registry import Offer, Preset, Registry

__all__ = ["json_schema"]

Schema = dict[str, Any]

TYPES = MappingProxyType(
    {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        Path: "string",
        type(None): "null",
    }
)


FILES: Schema = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    "description": "Other files, whose options those of this file replace.",
}


def json_schema(registry: Registry) -> Schema:
    """The schema of a whole run file."""
    maker = _Maker(registry)
    run = maker.record(RunConfig)
    run["properties"] = {INCLUDE: FILES, **run["properties"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A vall-e run",
        **_or_nothing(run),
        "$defs": {name: maker.definitions[name] for name in sorted(maker.definitions)},
    }


@frozen
class _Maker:
    registry: Registry
    definitions: dict[str, Schema] = field(factory=dict)

    def record(self, cls: type) -> Schema:
        """The schema of an attrs class: a mapping with these keys and no others."""
        options, meanings = options_of(cls), documents(cls)
        properties = {
            key: self._option(option, meanings.get(option.attribute.name, ""))
            for key, option in options.items()
        }
        required = [key for key, option in options.items() if _must_be_given(option)]
        schema: Schema = {
            "type": "object",
            "description": summary(cls),
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }
        return {key: value for key, value in schema.items() if value not in ("", [])}

    def _option(self, option: Option, meaning: str) -> Schema:
        schema = self._type(option.type)
        of_list = schema.get("type") == "array"
        of_text = schema.get("type") == "string"
        schema |= limits(option.attribute, of_list=of_list, of_text=of_text)
        if meaning:
            schema["description"] = meaning
        default = option.chosen if option.chosen is not None else option.default
        if default is not attrs.NOTHING:
            schema["default"] = unstructure(default)
        if is_choice(option.type) and isinstance(option.chosen, Preset):
            # A mapping without `name` stands for the default component.
            offers = self.registry.find(option.type.kind, option.chosen)
            named = self._component(offers[0], name_required=False) if len(offers) == 1 else {}
            return {"anyOf": [{"$ref": schema.pop("$ref")}, named], **schema} if named else schema
        return schema

    def _type(self, kind: Any) -> Schema:
        origin, args = get_origin(kind) or kind, get_args(kind)
        if kind in TYPES:
            return {"type": TYPES[kind]}
        if origin is Literal:
            return {"enum": list(args)}
        if len(members(kind)) > 1:
            return {"anyOf": [self._type(member) for member in members(kind)]}
        if is_choice(kind):
            return self._reference(kind)
        if attrs.has(kind):
            return _or_nothing(self.record(kind))
        if origin is tuple and args and args[-1] is not Ellipsis:
            sizes = {"minItems": len(args), "maxItems": len(args)}
            return {"type": "array", "prefixItems": [self._type(arg) for arg in args], **sizes}
        if origin in (tuple, list, set, frozenset, Sequence):
            return {"type": "array", "items": self._type(args[0]) if args else {}}
        if origin in (dict, Mapping):
            values = self._type(args[1]) if args else {}
            return {"type": "object", "additionalProperties": values}
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return {"enum": [member.value for member in kind]}
        return {}

    def _reference(self, kind: type[Choice]) -> Schema:
        if kind.kind not in self.definitions:
            self.definitions[kind.kind] = {}  # a component may have options of its own kind
            self.definitions[kind.kind] = self._component_of(kind.kind)
        return {"$ref": f"#/$defs/{kind.kind}"}

    def _component_of(self, kind: str) -> Schema:
        """Any component of a kind: only its name if it needs no options, or with options."""
        offers = sorted(self.registry.offers_of(kind), key=self.registry.spelling)
        alone = [offer for offer in offers if not _needs_options(offer)]
        names = [self.registry.spelling(offer) for offer in alone]
        return {
            "anyOf": [
                {"enum": names},
                *(self._component(offer, name_required=True) for offer in offers),
                {"enum": [o.qualified for o in alone if o.qualified not in names]},
            ]
        }

    def _component(self, offer: Offer, *, name_required: bool) -> Schema:
        component, name = offer.component, self.registry.spelling(offer)
        schema = self.record(component.config)
        required = [*(["name"] if name_required else []), *schema.pop("required", [])]
        names = {"enum": list(dict.fromkeys((name, offer.qualified)))}
        schema["properties"] = {"name": names, **schema["properties"]}
        schema["title"], schema["description"] = name, component.summary
        return {**schema, "required": required} if required else schema


def _needs_options(offer: Offer) -> bool:
    return any(_must_be_given(option) for option in options_of(offer.component.config).values())


def _or_nothing(section: Schema) -> Schema:
    """Allow an empty section: a key whose options are all left out has the defaults."""
    return section if "required" in section else {**section, "type": ["object", "null"]}


def _must_be_given(option: Option) -> bool:
    """Whether a file without this option is invalid; for a section: if one of its options is."""
    if not option.required:
        return False
    if attrs.has(option.type) and not is_choice(option.type):
        return any(_must_be_given(part) for part in options_of(option.type).values())
    return True
