"""A custom sampler: epsilon, which drops tokens below a fixed probability.

    python examples/write_a_sampler.py "Hello there."      # writes epsilon.wav

In a package, an entry point of the group `vall_e` would offer it (docs/plugins.md). Here it goes
into a registry by hand, and a YAML file can name it: `sampling: {ar: [{name: epsilon, p: 0.01}]}`
"""

import sys
from typing import Any

from attrs import field, frozen, validators

from vall_e.discovery import discover, registry_of
from vall_e.plugin import Component, hookimpl
from vall_e.registry import Registry
from vall_e.synthesis.load import LoadOptions, open_synthesizer
from vall_e.synthesis.synthesizer import Synthesizer


@frozen
class EpsilonConfig:
    p: float = field(default=0.001, validator=[validators.ge(0.0), validators.lt(1.0)])
    """Minimum probability of a token."""


class Epsilon:
    """Hewitt et al. 2022, https://arxiv.org/abs/2210.15191."""

    def __init__(self, config: EpsilonConfig) -> None:
        self.config = config

    def __call__(self, history: Any, logits: Any) -> Any:
        likeliest = logits == logits.amax(-1, keepdim=True)
        dropped = (logits.softmax(-1) < self.config.p) & ~likeliest
        return logits.masked_fill(dropped, float("-inf"))


class Plugin:
    """What a package's `components.py` would contain."""

    @hookimpl
    def vall_e_register_samplers(self) -> list[Component[EpsilonConfig]]:
        return [Component("epsilon", EpsilonConfig, Epsilon, "drops very unlikely tokens")]


def main(registry: Registry, model: str | None = None) -> Synthesizer:
    registry = Registry([*registry.offers, *registry_of([Plugin()]).offers])
    chain = "sampling.ar=[{name: epsilon, p: 0.01}, categorical]"
    return open_synthesizer(LoadOptions(model=model, overrides=[chain]), registry)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(discover()).synthesize(sys.argv[1], voice="kathleen").save("epsilon.wav")
