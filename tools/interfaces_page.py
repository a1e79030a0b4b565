"""Write docs/interfaces.md: the interface and the contract of every kind of component.

    python tools/interfaces_page.py

A test fails when the page is stale.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from vall_e import hookspecs, plugin
from vall_e.registry import HOOKS
from vall_e.testing.contracts.any_component import CONTRACTS, SMALL, facts_of
from vall_e.testing.contracts.run import PREFIX, laws_of

PAGE = Path(__file__).parents[1] / "docs" / "interfaces.md"
TOP = """\
# The interfaces

For each kind of component: what the object that `build` returns must do, in the code of
`vall_e.plugin` itself; what its contract asks; and the facts that `Trial(facts=...)` can give the
contract. Letters of shapes are in the [glossary](glossary.md). [plugins.md](plugins.md) says how to
write a plugin.

This page is generated: `python tools/interfaces_page.py`.
"""
INTERFACES = {
    "backbone": (
        *("Backbone", "Cache", "Stepping", "SteadyCache", "Gathering"),
        *("Layered", "LayeredCache"),
    ),
    "attention": ("AttentionKernel", "AttentionCase"),
    "codec": (
        *("Codec", "CodecStream", "Vectored", "Local", "Listening", "Listener", "Blockwise"),
    ),
    "sampler": ("LogitsProcessor", "Draw", "Stateful"),
    "task": ("Task", "Wants", "Sample", "Segment", "Source", "Recorded"),
    "optimizer": ("Averaging",),
    "wrapper": ("Rounding", "Joinable"),
    "normalizer": ("Normalizer",),
    "phonemizer": ("Phonemizer",),
    "engine": ("Engine",),
    "tracker": ("Tracker", "TrackedRun"),
    "exporter": ("Exporter", "Opening"),
    "judge": ("Judge", "Case", "Evidence", "Sound", "Verdict", "Score", "Figure"),
    "transcriber": ("Transcriber", "Transcript", "Passage", "Word"),
    "embedder": ("Embedder",),
    "store": ("Store", "Info", "Entry", "Item", "Stored", "Lenient", "Reduced"),
    "data-engine": ("DataEngine",),
    "strategy": ("Strategy", "Settling", "Level0", "Job", "Decoded"),
    "audio-effect": ("AudioEffect", "EffectStream", "Detecting"),
}
"""The names in `vall_e.plugin` that belong to a kind; the others have an interface of Python or
torch."""


ABOVE = "see above"
"""The meaning of a fact that the contract's own docstring tells."""


def page() -> str:
    """The whole page."""
    return TOP + "".join(_section(kind) for kind in HOOKS)


def _section(kind: str) -> str:
    contract = CONTRACTS[kind]
    parts = [f"\n## {kind}\n", _returned(kind)]
    names = INTERFACES.get(kind, ())
    if names:
        code = "\n\n\n".join(outline(getattr(plugin, name)) for name in names)
        parts.append(f"```python\n{code}\n```\n")
    parts.append(f"**Contract:** `vall_e.testing.{contract.__name__}`. {_flat(contract.__doc__)}\n")
    parts.append("".join(f"* {_sentence(law)}\n" for law in laws_of(contract)))
    if rows := list(_facts(contract)):
        head = "| fact | type | unless given | meaning |\n|---|---|---|---|\n"
        parts.append(head + "".join(rows))
    if small := SMALL.get(kind):
        given = ", ".join(f"`{key}: {value}`" for key, value in small.items())
        parts.append(f"Options of the small instance that is tested, if it has them: {given}.\n")
    return "\n".join(parts)


def _returned(kind: str) -> str:
    """What `build` takes and returns, from the hook."""
    text = inspect.cleandoc(getattr(hookspecs, HOOKS[kind]).__doc__)
    return _flat(text.partition("\n\n")[2].partition("Contract:")[0]) + "\n"


def outline(cls: type) -> str:
    """The source of a class, without private members and without the bodies of methods."""
    source = textwrap.dedent(inspect.getsource(cls))
    lines = source.splitlines()
    body = _class_body(source)
    kept = lines[: _first_line(body[0]) - 1]
    for before, member in zip([None, *body], body, strict=False):
        described = before is not None and isinstance(member, ast.Expr)
        if not _private(before if described and before else member):
            kept += _member(member, lines, before)
    return "\n".join(kept).rstrip()


def _member(member: ast.stmt, lines: list[str], before: ast.stmt | None) -> Iterator[str]:
    gap = before is not None and _first_line(member) - 1 > (before.end_lineno or 0)
    yield from [""] if gap else []
    if not isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from lines[member.lineno - 1 : member.end_lineno]
        return
    documented = ast.get_docstring(member) is not None
    end = member.body[0].end_lineno if documented else member.body[0].lineno - 1
    yield from lines[_first_line(member) - 1 : end]
    yield " " * (member.col_offset + 4) + "..."


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])


def _private(member: ast.stmt) -> bool:
    names = [
        getattr(member, "name", ""),
        getattr(getattr(member, "target", None), "id", ""),
    ]
    return any(name.startswith("_") and name != "__call__" for name in names)


def _facts(contract: type) -> Iterator[str]:
    told = _attribute_docs(contract)
    types = inspect.get_annotations(contract)
    for name in facts_of(contract):
        kind = str(types.get(name, type(getattr(contract, name)).__name__))
        value = _shown(getattr(contract, name))
        yield f"| `{name}` | `{kind.replace('|', 'or')}` | `{value}` | {told.get(name, ABOVE)} |\n"


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return repr(dict(value))
    return repr(value) if isinstance(value, (str, int, float, tuple)) else str(value)


def _attribute_docs(contract: type) -> dict[str, str]:
    """The strings under the attributes of a class, by name."""
    body = _class_body(textwrap.dedent(inspect.getsource(contract)))
    found = {}
    for member, after in itertools.pairwise(body):
        target = getattr(member, "target", None) or next(iter(getattr(member, "targets", [])), None)
        if isinstance(target, ast.Name) and isinstance(after, ast.Expr):
            found[target.id] = _flat(ast.literal_eval(after.value))
    return found


def _class_body(source: str) -> list[ast.stmt]:
    [body] = [node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return body


def _sentence(law: str) -> str:
    return law.removeprefix(PREFIX).replace("_", " ")


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
