"""Options of sampling that do not fit the model, or each other: named before anything is spoken."""

from __future__ import annotations

from attrs import field, fields, frozen

from vall_e.config.synthesis import SamplingConfig
from vall_e.decoding.ar.choose_state import rows_of
from vall_e.decoding.sampler_chain import Chain
from vall_e.errors import ConfigError
from vall_e.model.patterns import Groups
from vall_e.model.valle import Valle


@frozen
class Fitting:
    """A way of drawing that is to fit a model."""

    sampling: SamplingConfig
    model: Valle
    attempts: int = field(kw_only=True)
    demasks: bool = field(kw_only=True)
    """Level 0 is filled in."""
    look_every: int = field(default=0, kw_only=True)
    """Frames of level 0 between two looks at them; 0: whatever suits."""
    graphs: bool = field(default=False, kw_only=True)
    """Steps must be recorded."""
    hold_end: bool = field(default=False, kw_only=True)
    """No sentence ends before its fewest frames."""
    refines: bool = field(kw_only=True)
    """A NAR stage writes levels after the first."""

    def require(self) -> None:
        """Raise `ConfigError` for what is impossible, and for what would do nothing."""
        self._require_steps()
        Chain.of(self.sampling.nar, where="sampling.nar").require_no_state()
        if self.demasks:
            self._require_demasking()
        if self.sampling.beams > 1:
            Chain.of(self.sampling.ar, where="sampling.ar").require_no_chance()
            self._require_one("sampling.candidates", self.sampling.candidates)
            self._require_one("synthesis.attempts", self.attempts)
        if "ar" in self.model.config.capabilities:
            rows_of(self.sampling, self.model)
        stepwise = "a step of this model writes several codes", self.model.stepwise
        if self.look_every > 1:
            self._require_plain(f"look_every: {self.look_every}", "look_every: 0", stepwise)
        if self.graphs:
            self._require_plain("graphs: on", "graphs: auto")
        if self.hold_end:
            filled = "level 0 is filled in, and its length is said beforehand", self.demasks
            _refuse_any("hold_end", "hold_end: false", filled, stepwise)
        self._require_effect()

    def _require_demasking(self) -> None:
        self.model.require("len")
        options = self.sampling
        for option, value, off in (
            ("sampling.beams", options.beams, 1),
            ("sampling.candidates", options.candidates, 1),
            ("synthesis.attempts", self.attempts, 1),
            ("sampling.exit.after", options.exit.after, 0),
            ("sampling.speculative.layers", options.speculative.layers, 0),
        ):
            if value > off:
                raise ConfigError(
                    f"{option}: {value} are of no use where level 0 is filled in",
                    hint=f"set {option}: {off}, or {frame_by_frame(self.model)}",
                )

    def _require_steps(self) -> None:
        """Options that fit what a step of the AR stage is."""
        options, pattern = self.sampling, self.model.pattern
        for option, used in (
            ("beams", options.beams > 1),
            ("exit", options.exit.after > 0),
            ("speculative", options.speculative.layers > 0),
        ):
            if used and self.model.config.ahead > 1 and option != "beams":
                raise ConfigError(
                    f"sampling.{option}: this writes the next frame from the one before it, and "
                    f"this model from {self.model.config.ahead} before it (model.ahead)",
                    hint="leave it out",
                )
            if used and self.model.stepwise:
                raise ConfigError(
                    f"sampling.{option}: this follows one code a step, and a step of this model "
                    f"writes up to {len(pattern.levels)}",
                    hint="leave it out, or take a model without model.pattern and model.group_size",
                )
        if options.confidence and not (isinstance(pattern, Groups) and pattern.size > 1):
            raise ConfigError(
                f"sampling.confidence: {options.confidence:g} cuts groups, and this model "
                "does not write in groups",
                hint="set sampling.confidence: 0, or take a model with model.group_size over 1",
            )

    def _require_plain(self, given: str, instead: str, *others: tuple[str, bool]) -> None:
        """All frames are written in the same way, whatever was drawn before them."""
        options = self.sampling
        _refuse_any(
            given,
            instead,
            ("level 0 is filled in, not written frame by frame", self.demasks),
            ("sampling.beams follows the likeliest of each frame", options.beams > 1),
            ("sampling.exit follows each frame through the layers", options.exit.after > 0),
            ("sampling.speculative checks each frame", options.speculative.layers > 0),
            *others,
        )

    def _require_one(self, option: str, value: int) -> None:
        if value > 1:
            raise ConfigError(
                f"{option}: {value} are of no use with sampling.beams: {self.sampling.beams}, "
                "since a search finds the same every time",
                hint=f"set {option}: 1, or sampling.beams: 1",
            )

    def _require_effect(self) -> None:
        """Options that only count beside another."""
        options = self.sampling
        if options.nar_guidance != 1 and not self.refines:
            raise ConfigError(
                f"sampling.nar_guidance: {options.nar_guidance:g} is of no use: no NAR stage "
                "writes levels of this model",
                hint="set sampling.nar_guidance: 1, and sampling.guidance for what it writes",
            )
        # What guidance compares with may stay told where it is switched off for once.
        self._require_beside("guidance_rescale", options.guidance != 1, "guidance: 2")
        self._require_beside("nar_guidance_rescale", options.nar_guidance != 1, "nar_guidance: 2")
        self._require_beside("length_power", options.beams > 1, "beams: 4")
        self._require_beside("score", options.candidates > 1, "candidates: 4")

    def _require_beside(self, option: str, counts: bool, other: str) -> None:
        """`option` is as it is by default, or counts; `other` is what makes it count."""
        value = getattr(self.sampling, option)
        usual = getattr(fields(SamplingConfig), option).default
        if value == usual or counts:
            return
        raise ConfigError(
            f"sampling.{option}: {value} is of no use without sampling.{other.partition(':')[0]}",
            hint=f"set sampling.{other}, say, or sampling.{option}: {usual}",
        )


def _refuse_any(given: str, instead: str, *reasons: tuple[str, bool]) -> None:
    """Raise `ConfigError` for an option of `synthesis`, by the first of the reasons that holds."""
    for reason, holds in reasons:
        if holds:
            raise ConfigError(
                f"synthesis.{given} is of no use here: {reason}",
                hint=f"set synthesis.{instead}",
            )


def frame_by_frame(model: Valle) -> str:
    """What makes level 0 be written frame by frame; for a hint."""
    if "ar" in model.config.capabilities:
        return "set sampling.level_0: ar"
    return "take a model that can do ar"
