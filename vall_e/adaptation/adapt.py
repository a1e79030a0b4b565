"""Adapts a model to a voice: recordings in, a LoRA out. What `vall-e adapt` does."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from attrs import field, frozen

from vall_e.adaptation.comparison import BeforeAndAfter, HeldOutText, chosen, compare
from vall_e.adaptation.options import CLIPS, CONFIG, DATA, INPUTS, REPORT, RUN, AdaptOptions
from vall_e.adaptation.own_recordings import held_out_of, own_recordings
from vall_e.adaptation.training_config import as_yaml, training_config
from vall_e.atomic_write import make_folder, write_atomically
from vall_e.config.choices import DataEngineChoice
from vall_e.config.component_option import choose
from vall_e.damaged_files import damage_as, parse_json
from vall_e.data.dataset.manifest import Entry, Info, read_entries
from vall_e.data.ingest.options import IngestOptions
from vall_e.data.ingest.preparer_factory import PreparerFactory
from vall_e.data.ingest.process import process
from vall_e.data.ingest.recordings import Recording
from vall_e.discovery import discover
from vall_e.errors import CheckpointError, DataError, TrainingError
from vall_e.export.run_exporter import export_weights
from vall_e.file_hash import sha256_of
from vall_e.folder_lock import locked
from vall_e.registry import Registry
from vall_e.synthesis.load import find_model
from vall_e.training import loop
from vall_e.training.best import BEST
from vall_e.training.commands import Commands
from vall_e.training.run import Run, RunCallbacks
from vall_e.training.run_lock import held_by_this_run
from vall_e.training.setup import open_run
from vall_e.weights.locate import find_weights
from vall_e.weights.speaking_options import load_run

ENOUGH_MINUTES = 5.0
"""Two minutes of one reader made the built-in voice worse; six helped."""


@frozen
class Adaptation:
    """A finished adaptation. `vall_e.load(loras=[adaptation.lora])` speaks with it."""

    lora: Path
    step: int
    """The step of the best validation, whose weights these are."""
    minutes: float
    """Of recordings that were learned from."""
    comparison: BeforeAndAfter | None
    command: str
    """The command that speaks with it."""


@frozen
class AdaptCallbacks:
    """How an adaptation reports, and how it is stopped."""

    say: Callable[[str], None] = lambda line: None
    commands: Commands = field(factory=Commands)
    training: Callable[[Run], AbstractContextManager[RunCallbacks]] = lambda run: nullcontext(
        RunCallbacks()
    )
    """Around the training, with its callbacks."""


class StoppedError(TrainingError):
    """The training was stopped before its end, and can be continued."""

    exit_code = 130


def adapt(
    recordings: Path | str,
    output: Path | str,
    *,
    model: Path | str | None = None,
    speaker: str | None = None,
    language: str | None = None,
    steps: int = 200,
    say: Callable[[str], None] = lambda line: None,
) -> Adaptation:
    """Train a LoRA of a model, by default the built-in one, on the recordings of one speaker.

    The best weights by validation are written to `output`; `say` gets a line for each stage. What
    is made on the way is in the folder `OUTPUT.work`, and the same call continues from there.

    Raises `DataError` for recordings that cannot be used, and `TrainingError` if no step was better
    than the model as it is.
    """
    options = AdaptOptions(
        recordings=Path(recordings),
        output=Path(output),
        model=model,
        speaker=speaker,
        language=language,
        steps=steps,
    )
    return run_adaptation(options, discover(), os.environ, AdaptCallbacks(say))


def run_adaptation(
    options: AdaptOptions, registry: Registry, environ: Mapping[str, str], watch: AdaptCallbacks
) -> Adaptation:
    """As `adapt`, with the components of `registry`."""
    named = Path(options.model) if options.model and Path(options.model).is_dir() else None
    weights = find_weights(named) if named else find_model(options.model, registry)
    make_folder(options.output.parent, error=CheckpointError)
    with locked(options.work, error=DataError):
        found = own_recordings(options, registry, watch.say)
        _require_same_inputs(options, weights, found)
        watch.say(f"working folder: {options.work} (the same command continues from it)")
        path = options.work / CONFIG
        write_atomically(
            path, as_yaml(training_config(weights, options, registry)), error=DataError
        )
        minutes = _processed(found, path, options, registry, environ, watch)
        step = _trained(path, registry, environ, watch)
        exporter = registry.get("exporter", "lora")
        lora = exporter.build(exporter.config())
        export_weights(options.work / RUN / BEST, lora, registry, output=options.output)
        watch.say(f"{options.output}: the weights of step {step}, the best by validation")
        return _compared(weights, options, step, minutes, registry, watch)


def _require_same_inputs(
    options: AdaptOptions, weights: Path, recordings: Sequence[Recording]
) -> None:
    """Raise `DataError` if the working folder was made from something else."""
    ours = {
        "model": sha256_of(weights),
        "recordings": [[one.id, str(one.path.resolve()), one.text] for one in recordings],
        "language": options.language,
    }
    path = options.work / INPUTS
    hint = f"delete the folder {options.work}, or give another -o"
    if not path.exists():
        write_atomically(path, json.dumps(ours, ensure_ascii=False).encode(), error=DataError)
        return
    with damage_as(DataError, path, hint=hint):
        theirs = parse_json(path.read_bytes())
    different = [key for key, value in ours.items() if theirs.get(key) != value]
    if different:
        raise DataError(
            f"{options.work} was made with other inputs: {', '.join(different)}", hint=hint
        )


def _processed(
    recordings: Sequence[Recording],
    config: Path,
    options: AdaptOptions,
    registry: Registry,
    environ: Mapping[str, str],
    watch: AdaptCallbacks,
) -> float:
    """Make both datasets; returns the minutes to learn from."""
    make = PreparerFactory(
        load_run(config, registry).config, IngestOptions(options.language), environ
    )
    engine = choose("local", DataEngineChoice, registry, source="engine").build(workers=0)
    infos: list[Info] = []
    for name, part in zip(("learn", "held-out"), held_out_of(recordings), strict=True):
        folder = options.work / DATA / name
        report = process(part, folder, make, engine=engine)
        for reason, count in report.reasons.most_common(5):
            watch.say(f"skipped {count}: {reason}")
        if not report.info.utterances:
            raise DataError(
                f"none of {len(part)} recordings can be used: {report.skipped[0].reason}",
                hint=f"see {folder}/skipped.jsonl for the reasons",
            )
        infos.append(report.info)
    learn, held = infos
    minutes = learn.seconds / 60
    watch.say(
        f"{learn.utterances} recordings ({minutes:.1f} minutes) to learn from, "
        f"{held.utterances} held out"
    )
    if minutes < ENOUGH_MINUTES:
        watch.say(
            f"Few recordings: {minutes:.1f} minutes may not help. Two minutes of one reader made "
            f"the built-in voice worse; record {ENOUGH_MINUTES:g} or more."
        )
    return minutes


def _trained(
    path: Path, registry: Registry, environ: Mapping[str, str], watch: AdaptCallbacks
) -> int:
    """Train to the end, from the latest checkpoint if there is one; returns the best step."""
    config = load_run(path, registry, environ=environ).config
    folder = Path(config.training.output)
    with held_by_this_run(folder, environ):
        run = open_run(config, folder, resume=True, registry=registry)
        stopped = config.training.early_stop and run.progress.best.get("since", 0)
        if not stopped or stopped < config.training.early_stop:
            with watch.training(run) as callbacks:
                loop.train(run, watch.commands, callbacks)
    reason = watch.commands.stopped_by
    if reason and not reason.startswith("early stop"):
        raise StoppedError(
            f"stopped by {reason} after step {run.progress.step} of {config.training.max_steps}",
            hint="the same command continues from there",
        )
    best = run.progress.best
    if not best["step"]:
        raise TrainingError(
            "no step was better on the held-out recordings than the model as it is, so no LoRA "
            "was written",
            hint="add recordings (ten minutes or more), and check that the texts are what is said",
        )
    return int(best["step"])


def _compared(
    weights: Path,
    options: AdaptOptions,
    step: int,
    minutes: float,
    registry: Registry,
    watch: AdaptCallbacks,
) -> Adaptation:
    learned = read_entries(options.work / DATA / "learn")
    held = read_entries(options.work / DATA / "held-out")
    voice = _voice(learned, options)
    sentences = [HeldOutText(one.text, _source(one, options, "held-out")) for one in held]
    found = None
    if spoken := chosen(sentences, options.sentences):
        page = options.work / REPORT
        watch.say(f"speaking {len(spoken)} held-out texts before and after, for {page}")
        found = compare(
            weights,
            options.output,
            voice,
            spoken,
            clips=options.work / CLIPS,
            page=page,
            registry=registry,
        )
        for line in found.lines():
            watch.say(line)
    model = ["-m", str(options.model)] if options.model else []
    words = ["vall-e", "synth", "Hello, this is me.", *model, "--lora", str(options.output)]
    command = shlex.join([*words, "--voice", os.path.relpath(voice), "-o", "hello.wav"])
    return Adaptation(options.output, step, minutes, found, command)


def _voice(entries: Sequence[Entry], options: AdaptOptions) -> Path:
    """The recording that prompts the voice: one of about five seconds."""
    best = min(entries, key=lambda entry: abs(entry.seconds - 5))
    return _source(best, options, "learn")


def _source(entry: Entry, options: AdaptOptions, name: str) -> Path:
    return Path(os.path.normpath((options.work / DATA / name).resolve() / entry.source))
