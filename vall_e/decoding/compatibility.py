"""Options that do not fit the model, or each other: a table of rules, checked before any work.

`MODEL_RULES` hold for a model and the options it is opened with, `REQUEST_RULES` for one request.
A rule that is broken is a `ConfigError` with the rule's message and hint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from attrs import fields, frozen

from vall_e.config.synthesis import SamplingConfig
from vall_e.errors import CheckpointError, ConfigError
from vall_e.interfaces.task import InputUse, Task
from vall_e.model.layer_skip import layered
from vall_e.model.patterns import Groups
from vall_e.model.valle import Valle

Facts = TypeVar("Facts")


@frozen
class Rule(Generic[Facts]):
    """One thing that cannot work, or that would have no effect."""

    broken: Callable[[Facts], bool]
    message: Callable[[Facts], str]
    hint: Callable[[Facts], str]


def require(facts: Facts, rules: Iterable[Rule[Facts]]) -> None:
    """Raise `ConfigError` for the first rule that is broken."""
    for rule in rules:
        if rule.broken(facts):
            raise ConfigError(rule.message(facts), hint=rule.hint(facts))


@frozen(kw_only=True)
class ModelFacts:
    """A model, and the options that it is opened with."""

    sampling: SamplingConfig
    model: Valle
    attempts: int
    masked: bool
    """Level 0 is filled in by masked decoding, not written frame by frame."""
    own_steps: bool = False
    """Level 0 is written by a strategy of a plugin, frame by frame in its own way."""
    refines: bool
    """A NAR stage writes levels after the first."""
    sync_interval: int = 0
    """`synthesis.look_every`."""
    require_graphs: bool = False
    """`synthesis.graphs: on`."""
    hold_end: bool = False
    ar_draw: str = ""
    """The sampler of `sampling.ar` that draws tokens, if one is named."""
    nar_state: tuple[str, ...] = ()
    """Samplers of `sampling.nar` that keep state from frame to frame."""

    @property
    def writes_frames(self) -> bool:
        return "ar" in self.model.config.capabilities

    @property
    def skips(self) -> tuple[str, int]:
        """The option that leaves layers out, and after how many; 0: none does."""
        exits, drafts = self.sampling.exit.after, self.sampling.speculative.layers
        return ("speculative.layers", drafts) if drafts else ("exit.after", exits)

    @property
    def depth(self) -> int:
        """Layers of the backbone. Raises `ConfigError` where they cannot be run one by one."""
        name = self.model.config.backbone.name
        option = f"sampling.{self.skips[0]}"
        return layered(self.model.backbone, name=name, option=option).depth


ModelRule = Rule[ModelFacts]


def require_fit(facts: ModelFacts) -> None:
    """Raise `ConfigError` for options that cannot work, or would have no effect.

    Raises `CheckpointError` where the model lacks the capability that masked decoding needs.
    """
    if facts.masked:
        facts.model.require("len")
    require(facts, MODEL_RULES)


def frame_by_frame(model: Valle) -> str:
    """How to have level 0 written frame by frame, for a hint."""
    if "ar" in model.config.capabilities:
        return "set sampling.level_0: ar"
    return "use a model with the capability ar"


def _one_code_a_step(option: str, used: Callable[[SamplingConfig], bool]) -> ModelRule:
    return Rule(
        broken=lambda f: used(f.sampling) and f.model.stepwise,
        message=lambda f: (
            f"sampling.{option} needs one code a step, and a step of this model writes up to "
            f"{len(f.model.pattern.levels)}"
        ),
        hint=lambda _: "leave it out, or use a model without model.pattern and model.group_size",
    )


def _next_frame_only(option: str, used: Callable[[SamplingConfig], bool]) -> ModelRule:
    return Rule(
        broken=lambda f: used(f.sampling) and f.model.config.ahead > 1,
        message=lambda f: (
            f"sampling.{option} predicts each frame from the one before it, and this model from "
            f"{f.model.config.ahead} before it (model.ahead)"
        ),
        hint=lambda _: "leave it out",
    )


def _not_masked(option: str, value: Callable[[ModelFacts], int], off: int) -> ModelRule:
    return Rule(
        broken=lambda f: f.masked and value(f) > off,
        message=lambda f: f"{option}: {value(f)} has no effect with masked decoding of level 0",
        hint=lambda f: f"set {option}: {off}, or {frame_by_frame(f.model)}",
    )


def _not_in_own_steps(option: str, value: Callable[[ModelFacts], int], off: int) -> ModelRule:
    return Rule(
        broken=lambda f: f.own_steps and value(f) > 1,
        message=lambda f: (
            f"{option}: {value(f)} has no effect with sampling.level_0: {f.sampling.level_0.name}"
        ),
        hint=lambda _: f"set {option}: {off}, or sampling.level_0: ar",
    )


def _not_with_beams(option: str, value: Callable[[ModelFacts], int]) -> ModelRule:
    return Rule(
        broken=lambda f: f.sampling.beams > 1 and value(f) > 1,
        message=lambda f: (
            f"{option}: {value(f)} has no effect with sampling.beams: {f.sampling.beams}, since a "
            "search finds the same every time"
        ),
        hint=lambda _: f"set {option}: 1, or sampling.beams: 1",
    )


def _all_steps_alike(
    given: Callable[[ModelFacts], str], used: Callable[[ModelFacts], bool], instead: str
) -> tuple[ModelRule, ...]:
    """For options of `synthesis` that need every frame to be written in the same way."""
    reasons: tuple[tuple[str, Callable[[ModelFacts], bool]], ...] = (
        ("level 0 is filled in by masked decoding", lambda f: f.masked),
        ("sampling.beams keeps the likeliest continuations", lambda f: f.sampling.beams > 1),
        ("sampling.exit chooses the layers of each frame", lambda f: f.sampling.exit.after > 0),
        ("sampling.speculative checks each frame", lambda f: f.sampling.speculative.layers > 0),
    )
    return tuple(_synthesis(given, used, instead, *reason) for reason in reasons)


def _synthesis(
    given: Callable[[ModelFacts], str],
    used: Callable[[ModelFacts], bool],
    instead: str,
    reason: str,
    holds: Callable[[ModelFacts], bool],
) -> ModelRule:
    return Rule(
        broken=lambda f: used(f) and holds(f),
        message=lambda f: f"synthesis.{given(f)} has no effect here: {reason}",
        hint=lambda _: f"set synthesis.{instead}",
    )


def _only_with(option: str, needs: Callable[[SamplingConfig], bool], other: str) -> ModelRule:
    """An option that is at its default, or has an effect through another."""
    usual = getattr(fields(SamplingConfig), option).default
    return Rule(
        broken=lambda f: getattr(f.sampling, option) != usual and not needs(f.sampling),
        message=lambda f: (
            f"sampling.{option}: {getattr(f.sampling, option)} has no effect without "
            f"sampling.{other.partition(':')[0]}"
        ),
        hint=lambda _: f"set sampling.{other}, for example, or sampling.{option}: {usual}",
    )


_STEPWISE = ("a step of this model writes several codes", lambda f: f.model.stepwise)

MODEL_RULES: tuple[ModelRule, ...] = (
    _one_code_a_step("beams", lambda s: s.beams > 1),
    _next_frame_only("exit", lambda s: s.exit.after > 0),
    _one_code_a_step("exit", lambda s: s.exit.after > 0),
    _next_frame_only("speculative", lambda s: s.speculative.layers > 0),
    _one_code_a_step("speculative", lambda s: s.speculative.layers > 0),
    Rule(
        broken=lambda f: (
            f.sampling.confidence > 0
            and not (isinstance(f.model.pattern, Groups) and f.model.pattern.size > 1)
        ),
        message=lambda f: (
            f"sampling.confidence: {f.sampling.confidence:g} cuts groups, and this model does not "
            "write in groups"
        ),
        hint=lambda _: "set sampling.confidence: 0, or use a model with model.group_size over 1",
    ),
    Rule(
        broken=lambda f: bool(f.nar_state),
        message=lambda f: (
            f"sampling.nar: {', '.join(f.nar_state)} keeps state from frame to frame, and here all "
            "frames are drawn at once"
        ),
        hint=lambda _: "remove it from sampling.nar; it belongs in sampling.ar",
    ),
    Rule(
        broken=lambda f: f.own_steps and f.model.stepwise,
        message=lambda f: (
            f"sampling.level_0: {f.sampling.level_0.name} writes one code a step, and a step of "
            f"this model writes up to {len(f.model.pattern.levels)}"
        ),
        hint=lambda _: "set sampling.level_0: ar",
    ),
    _not_in_own_steps("sampling.beams", lambda f: f.sampling.beams, 1),
    _not_in_own_steps("sampling.candidates", lambda f: f.sampling.candidates, 1),
    _not_in_own_steps("synthesis.look_every", lambda f: f.sync_interval, 0),
    _not_masked("sampling.beams", lambda f: f.sampling.beams, 1),
    _not_masked("sampling.candidates", lambda f: f.sampling.candidates, 1),
    _not_masked("synthesis.attempts", lambda f: f.attempts, 1),
    _not_masked("sampling.exit.after", lambda f: f.sampling.exit.after, 0),
    _not_masked("sampling.speculative.layers", lambda f: f.sampling.speculative.layers, 0),
    Rule(
        broken=lambda f: f.sampling.beams > 1 and f.ar_draw not in ("", "greedy"),
        message=lambda f: f"sampling.ar: {f.ar_draw} draws, and a search (sampling.beams) does not",
        hint=lambda _: "end sampling.ar with greedy, or set sampling.beams: 1",
    ),
    _not_with_beams("sampling.candidates", lambda f: f.sampling.candidates),
    _not_with_beams("synthesis.attempts", lambda f: f.attempts),
    Rule(
        broken=lambda f: bool(
            f.writes_frames and f.sampling.exit.after and f.sampling.speculative.layers
        ),
        message=lambda _: (
            "sampling.speculative.layers: all layers must check the drafts, and sampling.exit "
            "leaves some out"
        ),
        hint=lambda _: "set one of the two to 0",
    ),
    Rule(
        broken=lambda f: f.writes_frames and f.skips[1] > 0 and f.sampling.beams > 1,
        message=lambda f: (
            f"sampling.{f.skips[0]} has no effect with sampling.beams: {f.sampling.beams}"
        ),
        hint=lambda f: f"set sampling.{f.skips[0]}: 0, or sampling.beams: 1",
    ),
    Rule(
        broken=lambda f: f.writes_frames and f.skips[1] > 0 and not f.skips[1] < f.depth,
        message=lambda f: (
            f"sampling.{f.skips[0]}: {f.skips[1]} is not fewer than the {f.depth} layers of the "
            "model"
        ),
        hint=lambda f: f"set it to {f.depth // 2}, for example; 0 switches it off",
    ),
    *_all_steps_alike(
        lambda f: f"look_every: {f.sync_interval}", lambda f: f.sync_interval > 1, "look_every: 0"
    ),
    _synthesis(
        lambda f: f"look_every: {f.sync_interval}",
        lambda f: f.sync_interval > 1,
        "look_every: 0",
        *_STEPWISE,
    ),
    *_all_steps_alike(lambda _: "graphs: on", lambda f: f.require_graphs, "graphs: auto"),
    _synthesis(
        lambda _: "hold_end",
        lambda f: f.hold_end,
        "hold_end: false",
        "masked decoding of level 0 fixes the length beforehand",
        lambda f: f.masked,
    ),
    _synthesis(lambda _: "hold_end", lambda f: f.hold_end, "hold_end: false", *_STEPWISE),
    Rule(
        broken=lambda f: f.sampling.nar_guidance != 1 and not f.refines,
        message=lambda f: (
            f"sampling.nar_guidance: {f.sampling.nar_guidance:g} has no effect: no NAR stage "
            "writes levels of this model"
        ),
        hint=lambda _: "set sampling.nar_guidance: 1, and sampling.guidance for what it writes",
    ),
    # What guidance compares with may stay set where guidance is switched off once.
    _only_with("guidance_rescale", lambda s: s.guidance != 1, "guidance: 2"),
    _only_with("nar_guidance_rescale", lambda s: s.nar_guidance != 1, "nar_guidance: 2"),
    _only_with("length_power", lambda s: s.beams > 1, "beams: 4"),
    _only_with("score", lambda s: s.candidates > 1, "candidates: 4"),
)


@frozen(kw_only=True)
class ContextFacts:
    """How a sentence continues from what was before it, and what the model knows of that."""

    context: str
    silence_seconds: float
    levels: int
    """Levels that are written."""
    read: int
    """Levels that the AR stage reads of what was before; 0: there is no AR stage."""

    @property
    def option(self) -> str:
        if self.silence_seconds:
            return f"silence_seconds: {self.silence_seconds}"
        return f"context: {self.context}"


CONTEXT_RULES: tuple[Rule[ContextFacts], ...] = (
    Rule(
        broken=lambda f: f.read > f.levels and (f.silence_seconds > 0 or f.context == "prefix"),
        message=lambda f: (
            f"synthesis.{f.option} needs {f.read} levels of what was before, and {f.levels} are "
            "written"
        ),
        hint=lambda _: "set synthesis.levels: 0",
    ),
    Rule(
        broken=lambda f: not f.read and (f.silence_seconds > 0 or f.context == "prefix"),
        message=lambda f: f"synthesis.{f.option} needs a model that writes level 0 frame by frame",
        hint=lambda _: (
            "leave it out (context: prompt works), or set sampling.level_0: ar with a model that "
            "has the capability ar"
        ),
    ),
)


@frozen(kw_only=True)
class RequestFacts:
    """A request, as far as it decides whether the model can serve it."""

    task: Task
    model: Valle
    masked: bool
    start: float
    """`sampling.demask.start`."""
    text: bool
    voice: bool
    input: bool
    edit: bool = False
    draft: bool = False
    mixture: bool = False
    """The voice is a mixture."""
    transcript: bool = True
    """It is known what the voice's recording says; also true where no voice is given."""


RequestRule = Rule[RequestFacts]

INPUTS: dict[str, tuple[str, str, Callable[[Task], InputUse]]] = {
    "text": ("a text", "give the text to say", lambda t: t.wants.text),
    "voice": (
        "a voice",
        "name one with `voice=`: a recording, a voice file or a name",
        lambda t: t.wants.voice,
    ),
    "input": ("an input recording", "name it with `input=`", lambda t: t.wants.input),
    "edit": (
        "the part of the recording to replace",
        "give its first and last second with `edit=`: 1.2 to 1.9",
        lambda t: "needed" if t.wants.edit else "unused",
    ),
}
"""By field of `RequestFacts`: its name in messages, how to give it, and whether a task uses it."""


def _inputs(name: str) -> tuple[RequestRule, RequestRule]:
    called, give, use = INPUTS[name]
    return (
        Rule(
            broken=lambda f: use(f.task) == "needed" and not getattr(f, name),
            message=lambda f: f"the task {f.task.name} needs {called}",
            hint=lambda _: give,
        ),
        Rule(
            broken=lambda f: use(f.task) == "unused" and getattr(f, name),
            message=lambda f: f"the task {f.task.name} does not use {called}",
            hint=lambda _: "leave it out, or choose another task with `task=`",
        ),
    )


INPUT_RULES: tuple[RequestRule, ...] = tuple(rule for name in INPUTS for rule in _inputs(name))

REQUEST_RULES: tuple[RequestRule, ...] = (
    *INPUT_RULES,
    Rule(
        broken=lambda f: f.draft and not f.masked,
        message=lambda _: "a draft has an effect only with masked decoding of level 0",
        hint=lambda _: "leave it out, or set sampling.level_0: demask",
    ),
    Rule(
        broken=lambda f: f.draft and not f.start,
        message=lambda _: "sampling.demask.start is 0, so nothing of the draft would be kept",
        hint=lambda _: "set sampling.demask.start: 0.5, or more to keep more of it",
    ),
    Rule(
        broken=lambda f: f.start > 0 and f.masked and not f.draft,
        message=lambda f: (
            f"sampling.demask.start: {f.start:g} starts from a draft, and there is none"
        ),
        hint=lambda _: "give a recording with `draft=`, or set sampling.demask.start: 0",
    ),
    Rule(
        broken=lambda f: f.masked and f.edit,
        message=lambda _: "the length of an edit is not known, so masked decoding cannot fill it",
        hint=lambda f: frame_by_frame(f.model),
    ),
    Rule(
        broken=lambda f: f.task.wants.transcript and f.mixture,
        message=lambda f: (
            f"the task {f.task.name} continues one recording, and the voice is a mixture"
        ),
        hint=lambda _: "give one voice",
    ),
    Rule(
        broken=lambda f: f.task.wants.transcript and not f.transcript,
        message=lambda f: f"the task {f.task.name} needs the transcript of the voice's recording",
        hint=lambda _: "give its words with `transcript=`",
    ),
)


def require_task(task: Task, *, writes: str) -> None:
    """Raise `ConfigError` for a task whose output is not what was called for."""
    outputs = {"response": "speech", "text": "text", "length": "a length"}
    if task.target == writes:
        return
    hints = {
        "text": "use transcribe or generate_text, or choose another task",
        "response": "choose a task that writes text: stt, if the model was trained for it",
        "length": "choose another task; sampling.level_0: demask uses this one by itself",
    }
    raise ConfigError(
        f"the task {task.name} writes {outputs[task.target]}, not {outputs[writes]}",
        hint=hints[task.target],
    )


def require_length_task(model: Valle, task: Task | None) -> Task:
    """The task that predicts lengths. Raises `CheckpointError` where the model lacks it."""
    if task is None:
        raise CheckpointError(
            "this model cannot predict lengths (task `len`), so masked decoding is not available",
            hint=f"train it with the task len, or {frame_by_frame(model)}",
        )
    return task
