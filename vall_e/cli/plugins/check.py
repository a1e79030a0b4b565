"""`vall-e plugins check`: hold what is installed against the contract of its kind."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import attrs
import click
from attrs import frozen

from vall_e.cli.app import App
from vall_e.errors import PluginError, UnknownComponentError
from vall_e.registry import HOOKS, Offer, Registry, normal

if TYPE_CHECKING:
    from vall_e.testing.contracts.run import Finding


@frozen
class CheckReport:
    """What became of each law for one component."""

    kind: str
    name: str
    distribution: str
    version: str
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> bool:
        return any(finding.status == "fails" for finding in self.findings)

    @property
    def untried(self) -> str:
        """Why no law of its kind could be tried: it cannot be built here. Else nothing."""
        reasons = {f.reason for f in self.findings if f.status == "skipped"}
        mine = [f for f in self.findings if not f.general]
        alone = all(finding.status in {"skipped", "excepted"} for finding in mine)
        return "; ".join(sorted(reasons)) if alone else ""


@click.command()
@click.argument("name")
@click.option(
    "--kind",
    metavar="KIND",
    type=click.Choice(list(HOOKS)),
    help="Where a name is of several kinds; `vall-e plugins list` shows them.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs, on stdout.")
@click.pass_obj
def check(app: App, name: str, kind: str | None, as_json: bool) -> None:
    """Try a component (NAME or distribution:NAME), or all that a distribution brings.

    Each law of the contract of its kind is tried, as its author's tests would; pytest is not
    needed. A law that the component says it cannot hold must not hold. The exit code is 4 if one
    fails, or if the component cannot be built here.
    """
    reports = []
    for offer in _wanted(app.registry, name, kind):
        report = _tried(offer, quiet=as_json)
        reports.append(report)
    if as_json:
        found = [{**attrs.asdict(each), "untried": each.untried} for each in reports]
        click.echo(json.dumps(found, indent=2))
    if any(report.failed or report.untried for report in reports):
        click.get_current_context().exit(PluginError.exit_code)


def _wanted(registry: Registry, name: str, kind: str | None) -> list[Offer]:
    kinds = HOOKS if kind is None else [kind]
    offers = [offer for each in kinds for offer in registry.find(each, name)]
    offers = offers or [
        offer
        for offer in registry.offers
        if normal(offer.distribution) == normal(name) and offer.kind in kinds
    ]
    if not offers:
        raise UnknownComponentError(
            f"no {kind or 'component'} and no distribution with one is called {name!r}",
            hint="run `vall-e plugins list` for their names, `vall-e plugins doctor` for trouble",
        )
    return offers


def _tried(offer: Offer, *, quiet: bool) -> CheckReport:
    """Try every law; unless `quiet`, a line for each on stdout, as it becomes known."""
    component, findings = offer.component, []
    if not quiet:
        click.echo(f"{offer.kind} {component.name} ({offer.distribution} {offer.version})")
    for finding in _findings(offer):
        findings.append(finding)
        if not quiet:
            reason = f": {finding.reason}" if finding.reason else ""
            click.echo(f"  {finding.status:<8}  {finding.sentence}{reason}")
    report = CheckReport(
        offer.kind, component.name, offer.distribution, offer.version, tuple(findings)
    )
    if not quiet:
        click.echo(f"  {_summary(report)}")
    return report


def _findings(offer: Offer) -> Iterator[Finding]:
    from vall_e.testing.contracts.any_component import contract_of
    from vall_e.testing.contracts.component import ComponentContract
    from vall_e.testing.contracts.run import laws_of, try_law

    contract = contract_of(offer.kind, offer.component)
    exceptions = offer.component.trial.exceptions
    for law in laws_of(contract):
        with redirect_stdout(sys.stderr):
            finding = try_law(contract, law)
        excepted = finding.status == "skipped" and finding.reason == exceptions.get(law)
        yield attrs.evolve(
            finding,
            status="excepted" if excepted else finding.status,
            general=hasattr(ComponentContract, law),
        )


def _summary(report: CheckReport) -> str:
    counts = {
        status: sum(finding.status == status for finding in report.findings)
        for status in ("holds", "fails", "excepted", "skipped")
    }
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"not tried here: {report.untried}" if report.untried else told
