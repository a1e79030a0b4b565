"""The JSON Schema (2020-12) of a run's file, with the options of every installed plugin.

Editors use it to complete and check as one types: `# yaml-language-server: $schema=FILE`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

import attrs
from attrs import field, frozen

from vall_e.config.documentation import documents, limits, summary
from vall_e.config.options import Option, is_choice, members, options_of
from vall_e.config.schema import Choice, RunConfig
from vall_e.config.structure import unstructure
from vall_e.registry import Registry

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


def json_schema(registry: Registry) -> Schema:
    """The schema of a whole run."""
    maker = _Maker(registry)
    run = maker.record(RunConfig)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A run of vall-e",
        **run,
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
        if is_choice(option.type) and option.chosen is not None:
            # A mapping without `name` means the component that is taken by default.
            named = self._component(option.type.kind, str(option.chosen), name_required=False)
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
            return self.record(kind)
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
        """Any component of a kind: by its name alone if it needs no options, or with them."""
        names = self.registry.names(kind)
        alone = [name for name in names if not self._needs_options(kind, name)]
        return {
            "anyOf": [
                {"enum": alone},
                *(self._component(kind, name, name_required=True) for name in names),
            ]
        }

    def _needs_options(self, kind: str, name: str) -> bool:
        options = options_of(self.registry.get(kind, name).config)
        return any(_must_be_given(option) for option in options.values())

    def _component(self, kind: str, name: str, *, name_required: bool) -> Schema:
        if name not in self.registry.names(kind):
            return {}
        component = self.registry.get(kind, name)
        schema = self.record(component.config)
        required = [*(["name"] if name_required else []), *schema.pop("required", [])]
        schema["properties"] = {"name": {"const": name}, **schema["properties"]}
        schema["title"], schema["description"] = name, component.summary
        return {**schema, "required": required} if required else schema


def _must_be_given(option: Option) -> bool:
    """Whether a file without this option cannot be right; a section may lack if its parts may."""
    if not option.required:
        return False
    if attrs.has(option.type) and not is_choice(option.type):
        return any(_must_be_given(part) for part in options_of(option.type).values())
    return True
