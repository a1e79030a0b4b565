"""Write a complete plugin: files of `templates/`, with names filled in. Torch-free, and offline."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from keyword import iskeyword
from pathlib import Path

from attrs import field, frozen, validators
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from vall_e.errors import PluginError
from vall_e.registry import HOOKS

KINDS = tuple(kind for kind in HOOKS if (Path(__file__).parent / "templates" / kind).is_dir())
"""The kinds that have a template."""

LONGEST = 60
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def _name(instance: object, attribute: object, value: str) -> None:
    word = value.replace("-", "_")
    if word in ("components", "options") or iskeyword(word) or iskeyword(value.title()):
        raise PluginError(
            f"{value!r} is not a valid module name", hint=f"use my-{value}, for example"
        )
    if not NAME.fullmatch(value):
        raise PluginError(
            f"{value!r} is not a valid name for a component",
            hint="start with a small letter, then use letters, digits and hyphens: my-sampler",
        )
    if len(value) > LONGEST:
        raise PluginError(
            f"{value[:20]!r}... is too long for a name: it has {len(value)} letters",
            hint=f"use {LONGEST} at most: files are named after it",
        )


def _spdx(licence: str) -> str:
    """An SPDX expression, as required by the build of a wheel."""
    try:
        return canonicalize_license_expression(licence)
    except InvalidLicenseExpression as exc:
        raise PluginError(
            f"--licence: {licence!r} is not a valid SPDX expression",
            hint="write one like MIT or GPL-3.0-or-later (https://spdx.org/licenses/), or "
            "LicenseRef-Name for your own",
        ) from exc


@frozen
class NewPlugin:
    """The values to fill in the templates with."""

    kind: str = field(validator=validators.in_(KINDS))
    name: str = field(validator=_name)
    licence: str = field(default="Apache-2.0", converter=_spdx)

    @property
    def distribution(self) -> str:
        return f"vall-e-{self.kind}-{self.name}"

    @property
    def package(self) -> str:
        return self.distribution.replace("-", "_")

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    @property
    def files(self) -> Iterator[tuple[str, str]]:
        """The path of each file within the plugin, and its text."""
        source = f"src/{self.package}"
        yield "pyproject.toml", self._filled("common/pyproject.toml")
        yield "LICENSE", self._filled(self._licence_text)
        yield "README.md", self._filled("common/README.md")
        yield ".github/workflows/check.yml", self._filled("common/ci.yml")
        yield ".github/workflows/publish.yml", self._filled("common/publish.yml")
        yield f"{source}/__init__.py", self._filled("common/init.py")
        yield f"{source}/py.typed", ""
        yield f"{source}/options.py", self._filled(f"{self.kind}/options.py")
        yield f"{source}/components.py", self._filled(f"{self.kind}/components.py")
        yield f"{source}/{self.module}.py", self._filled(f"{self.kind}/work.py")
        yield f"tests/test_{self.module}.py", self._filled("common/test.py")

    @property
    def _licence_text(self) -> str:
        """The full text for common licences; for others, where to find it."""
        whole = f"common/LICENSE-{self.licence}"
        return whole if _template(whole).is_file() else "common/LICENSE"

    def write(self, parent: Path) -> Path:
        """Create the distribution's folder in `parent`, completely or not at all; returns it."""
        folder = parent / self.distribution
        if folder.exists():
            raise PluginError(f"{folder} already exists", hint="use another name, or move it away")
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent) as draft:
            made = Path(draft) / self.distribution
            for name, text in self.files:
                path = made / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            shutil.move(made, folder)
        return folder

    def _filled(self, template: str) -> str:
        text = _read(template).replace("plugin-use", _read(f"{self.kind}/use.md").rstrip())
        words = {
            "a plugin-kind": f"{'an' if self.kind[0] in 'aeiou' else 'a'} {self.kind}",
            "plugin-distribution": self.distribution,
            "plugin_package": self.package,
            "plugin-licence": self.licence,
            "plugin-kind": self.kind,
            "plugin_hook": HOOKS[self.kind],
            "plugin-name": self.name,
            "plugin_name": self.module,
            "PluginName": "".join(part.title() for part in self.name.split("-")),
        }
        return re.sub("|".join(words), lambda found: words[found[0]], text)


def _read(template: str) -> str:
    return _template(template).read_text(encoding="utf-8")


def _template(name: str) -> Traversable:
    return resources.files("vall_e.authoring") / "templates" / f"{name}.template"
