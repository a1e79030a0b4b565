"""`vall-e plugins`: what is installed, what it offers, and its problems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import groupby
from typing import Any

import attrs
import click
from attrs import frozen

from vall_e.cli.app import App
from vall_e.cli.plugins.attention_support import availability, table_of
from vall_e.cli.plugins.check import check
from vall_e.cli.plugins.install import install, uninstall
from vall_e.cli.plugins.load_time import measure
from vall_e.cli.plugins.new import new
from vall_e.config.errors import WrongValueError, reason
from vall_e.config.option_docs import documents
from vall_e.config.options import options_of
from vall_e.config.structure import Structurer, unstructure
from vall_e.discovery import discover
from vall_e.errors import PluginError, UnknownComponentError, VallEError
from vall_e.registry import HOOKS, Component, Offer, PluginRecord, Registry, may_offer, normal

SLOW_SECONDS = 0.5
"""A plugin that takes longer to load makes every command slow."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


@click.group()
def plugins() -> None:
    """List, check and install plugins: backbones, codecs, samplers and others."""


for command in (check, new, install, uninstall):
    plugins.add_command(command)


@plugins.command("list")
@as_json
@click.option(
    "--kind",
    metavar="KIND",
    type=click.Choice(list(HOOKS)),
    help=f"Only components of this kind: {', '.join(HOOKS)}.",
)
@click.pass_obj
def list_components(app: App, as_json: bool, kind: str | None) -> None:
    """List all components that can be named in a YAML file."""
    registry = app.registry
    offers = [offer for offer in registry.offers if kind in (None, offer.kind)]
    if as_json:
        found = {
            "components": [_described(offer) for offer in offers],
            "plugins": [attrs.asdict(record) for record in registry.plugins],
        }
        click.echo(json.dumps(found, indent=2))
        return
    _echo_offers(offers)
    absent = len(registry.broken)
    if absent:
        click.echo(
            f"{absent} {'plugin is' if absent == 1 else 'plugins are'} not loaded: "
            "run `vall-e plugins doctor`",
            err=True,
        )


@plugins.command()
@click.argument("name")
@as_json
@click.pass_obj
def info(app: App, name: str, as_json: bool) -> None:
    """Show a component (NAME, or distribution:NAME), or all components of a distribution.

    `attention` shows all attention kernels: which of them run here, or why not. The exit code is
    4 if what is shown is broken.
    """
    registry = app.registry
    records = [record for record in registry.plugins if normal(record.distribution) == normal(name)]
    offers = [offer for kind in HOOKS for offer in registry.find(kind, name)]
    if records:
        offers = [o for o in registry.offers if normal(o.distribution) == normal(name)]
    elif not offers and name == "attention":
        _echo_kernels(registry, as_json)
        return
    elif not offers:
        raise _nothing_called(registry, name)
    if as_json:
        found = {
            "components": [{**_described(o), "options": _options_of(o)} for o in offers],
            "plugins": [attrs.asdict(record) for record in records],
        }
        click.echo(json.dumps(found, indent=2))
    elif records:
        _echo_distribution(records, offers)
    else:
        for index, offer in enumerate(offers):
            click.echo(("\n" if index else "") + "\n".join(_lines(offer)))
    if any(record.troubled for record in records):
        click.get_current_context().exit(PluginError.exit_code)


def _echo_kernels(registry: Registry, as_json: bool) -> None:
    kernels = [offer.component for offer in registry.offers if offer.kind == "attention"]
    if as_json:
        found = [{"name": kernel.name, "here": availability(kernel)} for kernel in kernels]
        click.echo(json.dumps({"attention": found}, indent=2))
        return
    for line in table_of(kernels):
        click.echo(line)


def _nothing_called(registry: Registry, name: str) -> UnknownComponentError:
    for record in registry.plugins:
        if record.status != "ok" and any(may_offer(record, kind, name) for kind in HOOKS):
            return UnknownComponentError(
                f"there is no component called {name!r}; the plugin {record}, which may offer it, "
                f"is {record.status}: {record.reason}",
                hint="run `vall-e plugins doctor`, then repair or enable that plugin",
            )
    known = {offer.component.name for offer in registry.offers}
    known |= {offer.qualified for offer in registry.offers}
    known |= {record.distribution for record in registry.plugins}
    near = get_close_matches(name, known, n=1)
    return UnknownComponentError(
        f"there is no component or distribution called {name!r}",
        hint=(f"did you mean {near[0]!r}? " if near else "")
        + "run `vall-e plugins list` for the names, `vall-e plugins doctor` for problems",
    )


@plugins.command()
@as_json
@click.pass_obj
def doctor(app: App, as_json: bool) -> None:
    """Check every plugin; the exit code is 4 if there are problems.

    Deprecated features that a plugin uses are listed too, but are not a problem yet.
    """
    # In strict mode, discovery would stop before we can report the problem.
    environ = {key: v for key, v in app.environ.items() if key != "VALL_E_STRICT_PLUGINS"}
    registry = discover(environ=environ, load_plugins=app.load_plugins)
    checkups = [_check(record, registry) for record in registry.plugins]
    conflicts = registry.duplicates()
    if as_json:
        found = {
            "plugins": [
                {**attrs.asdict(checkup), "complaints": list(checkup.complaints)}
                for checkup in checkups
            ],
            "conflicts": [f"{error.message}; {error.hint}" for error in conflicts],
        }
        click.echo(json.dumps(found, indent=2))
    else:
        for checkup in checkups:
            click.echo(str(checkup))
        for error in conflicts:
            click.echo(f"conflict      {error.message}; {error.hint}")
    sick = [c for c in checkups if c.plugin.status != "disabled" and list(c.complaints)]
    if sick or conflicts:
        click.get_current_context().exit(PluginError.exit_code)


@frozen
class Checkup:
    """A plugin, and the cost of loading it in a separate process."""

    plugin: PluginRecord
    seconds: float
    imports_torch: bool
    more: tuple[str, ...] = ()
    """Further problems."""

    @property
    def complaints(self) -> Iterator[str]:
        if self.plugin.reason:
            yield self.plugin.reason
        yield from self.more
        if self.imports_torch:
            yield "imports torch when it is loaded: move that import into `build`"
        elif self.seconds > SLOW_SECONDS:
            yield f"takes {self.seconds:.1f} s to load: import heavy packages in `build`"

    def __str__(self) -> str:
        status = f"{self.plugin.status:<13} {self.plugin}"
        if self.plugin.status == "ok":
            components = len(self.plugin.components)
            status += f": {components} components, {self.seconds * 1000:.0f} ms"
        notices = (f"deprecated: {text}" for text in self.plugin.deprecations)
        return ": ".join([status, *self.complaints, *notices])


def _check(record: PluginRecord, registry: Registry) -> Checkup:
    if record.status != "ok":
        return Checkup(record, record.seconds, imports_torch=False)
    cost = measure(record)
    mine = [o for o in registry.offers if _owner(o) == (record.distribution, record.entry_point)]
    wrong = [text for offer in mine for text in _wrong_defaults(offer, registry)]
    more = ((cost.complaint,) if cost.complaint else ()) + tuple(wrong)
    return Checkup(record, cost.seconds, cost.imports_torch, more)


def _owner(offer: Offer) -> tuple[str, str]:
    return offer.distribution, offer.entry_point


def _wrong_defaults(offer: Offer, registry: Registry) -> Iterator[str]:
    """Defaults that cannot be written in YAML, although `config init` writes them."""
    structurer = Structurer(registry)
    for key, option in options_of(offer.component.config).items():
        if option.default is attrs.NOTHING:
            continue
        try:
            structurer.structure(unstructure(option.default), option.type)
        except (WrongValueError, VallEError) as exc:
            yield f"the default of {offer.component.name}.{key} is wrong: {reason(exc)}"


def _described(offer: Offer) -> dict[str, Any]:
    component = offer.component
    use = {"used_in": component.used_in} if offer.kind == "wrapper" else {}
    return use | {
        "kind": offer.kind,
        "name": component.name,
        "aliases": list(component.aliases),
        "distribution": offer.distribution,
        "version": offer.version,
        "entry_point": offer.entry_point,
        "summary": component.summary,
        "paper": component.paper,
        "api": list(component.api),
        "code_license": component.code_license,
        "weights_license": component.weights_license,
    }


def _echo_offers(offers: list[Offer]) -> None:
    width = max((len(offer.component.name) for offer in offers), default=0)
    licences = max((len(_licence(offer.component)) for offer in offers), default=0)
    order = list(HOOKS)
    ranked = sorted(offers, key=lambda offer: order.index(offer.kind))
    for kind, group in groupby(ranked, key=lambda offer: offer.kind):
        click.echo(kind)
        for offer in group:
            component = offer.component
            owner = "" if offer.distribution == "vall-e" else f"  [{offer.distribution}]"
            licence = _licence(component)
            click.echo(
                f"  {component.name:<{width}}  {licence:<{licences}}  {component.summary}{owner}"
            )


def _licence(component: Component[Any]) -> str:
    """The licence of the code, and of the weights if there are any."""
    weights = component.weights_license
    return component.code_license + (f" (weights: {weights})" if weights else "")


def _echo_distribution(records: list[PluginRecord], offers: list[Offer]) -> None:
    for record in records:
        click.echo(f"{record}: {record.status}, {record.module}")
        if record.reason:
            click.echo(f"  {record.reason}")
        for text in record.deprecations:
            click.echo(f"  deprecated: {text}")
    _echo_offers(offers)


def _options_of(offer: Offer) -> list[dict[str, Any]]:
    """Each option as JSON data; a default that is not plain data is given as text."""
    meanings = documents(offer.component.config)
    return [
        {
            "name": key,
            "required": option.required,
            "default": None if option.required else _plain(option.chosen or option.default),
            "meaning": meanings.get(key, ""),
        }
        for key, option in options_of(offer.component.config).items()
    ]


def _plain(default: object) -> object:
    plain = unstructure(default)
    return plain if isinstance(plain, (str, int, float, list, dict, type(None))) else repr(plain)


def _lines(offer: Offer) -> Iterator[str]:
    component = offer.component
    yield f"{offer.kind} {component.name}: {component.summary}"
    yield f"  from      {offer.distribution} {offer.version} ({offer.entry_point})"
    if component.aliases:
        yield f"  also      {', '.join(component.aliases)}"
    if component.paper:
        yield f"  paper     {component.paper}"
    yield f"  licence   {_licence(component)}"
    if offer.kind == "wrapper":
        yield f"  for       {_USES[component.used_in]}"
    if offer.kind == "attention":
        yield f"  here      {availability(component)}"
    yield from _options(component.config)


_USES = {
    "training": "training (training.wrappers)",
    "speaking": "speaking (synthesis.wrappers)",
    "both": "training and speaking (training.wrappers, synthesis.wrappers)",
}


def _options(config: type) -> Iterator[str]:
    meanings = documents(config)
    options = options_of(config)
    if options:
        yield "  options"
    for key, option in options.items():
        default = "required" if option.required else f"default {option.chosen or option.default!r}"
        yield f"    {key} ({default})" + (f": {meanings[key]}" if key in meanings else "")
