"""A sampler of one's own: min-p, which drops what is much less likely than the likeliest token.

In a package, an entry point of the group `vall_e` would offer it (docs/plugins.md). Here it goes
into a registry by hand, and then a YAML file can name it: `sampling: {ar: [{name: min-p, p: 0.1}]}`
"""

import sys
from typing import Any

from attrs import field, frozen, validators

from vall_e.discovery import discover, registry_of
from vall_e.plugin import Component, hookimpl
from vall_e.registry import Registry
from vall_e.synthesis.speak import Synthesizer


@frozen
class MinPConfig:
    p: float = field(default=0.05, validator=[validators.ge(0.0), validators.le(1.0)])
    """A token must be at least so likely, as a share of the likeliest."""


class MinP:
    """Nguyen et al. 2024, https://arxiv.org/abs/2407.01082."""

    def __init__(self, config: MinPConfig) -> None:
        self.config = config

    def __call__(self, history: Any, logits: Any) -> Any:
        shares = (logits - logits.amax(-1, keepdim=True)).exp()
        return logits.masked_fill(shares < self.config.p, float("-inf"))


class Plugin:
    """What a package's `components.py` would hold."""

    @hookimpl
    def vall_e_register_samplers(self) -> list[Component[MinPConfig]]:
        return [Component("min-p", MinPConfig, MinP, "drops what is unlikely beside the likeliest")]


def main(registry: Registry, model: str | None = None) -> Synthesizer:
    registry = Registry([*registry.offers, *registry_of([Plugin()]).offers])
    chain = "sampling.ar=[{name: min-p, p: 0.1}, categorical]"
    return Synthesizer.open(model, registry, overrides=[chain])


if __name__ == "__main__":
    main(discover()).synthesize(sys.argv[1], voice="kathleen").save("min_p.wav")
