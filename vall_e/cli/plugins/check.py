"""`vall-e plugins check`: test installed components against the contract of their kind."""

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
    """The result of each law for one component."""

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
        """Why no law could be tested: the component cannot be built here. Otherwise empty."""
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
    help="Needed if components of several kinds have this name; see `vall-e plugins list`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
@click.pass_obj
def check(app: App, name: str, kind: str | None, as_json: bool) -> None:
    """Check a component (NAME or distribution:NAME), or all components of a distribution.

    Every law of the contract of its kind is tested, as in its author's tests; pytest is not
    needed. A law that the component declares unsupported must fail. The exit code is 4 if a law
    is broken, or if the component cannot be built here.
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
            f"there is no {kind or 'component'} and no distribution called {name!r}",
            hint="run `vall-e plugins list` for the names, `vall-e plugins doctor` for problems",
        )
    return offers


def _tried(offer: Offer, *, quiet: bool) -> CheckReport:
    """Test every law; unless `quiet`, print each result immediately."""
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
    text = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"not tested here: {report.untried}" if report.untried else text
