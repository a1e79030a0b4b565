"""Two models in one synthesizer: one writes level 0, the other all levels after it."""

from __future__ import annotations

from attrs import frozen

from vall_e.errors import CheckpointError
from vall_e.interfaces.task import Task
from vall_e.model.valle import Valle
from vall_e.weights.contents import as_told
from vall_e.weights.file import Bundle


@frozen(eq=False)
class Stage:
    """A model that writes some of the levels, and the task that lays out its input."""

    model: Valle
    task: Task


def require_pair(first: Bundle, second: Bundle) -> None:
    """Raise `CheckpointError` where `second` cannot continue from the level 0 of `first`."""
    can, pattern = second.config.model.capabilities, first.config.model.pattern
    if "nar" not in can:
        raise CheckpointError(
            f"the model of `nar=` lacks the capability nar: it has {', '.join(can)}",
            hint="give the weights of level 0 with `model=`, those of other levels with `nar=`",
        )
    require_level_0(first)
    if pattern != "none":
        raise CheckpointError(
            f"the model of `model=` writes all levels by itself (model.pattern: {pattern})",
            hint="leave out `nar=`",
        )
    _require_same_facts(first, second)
    if first.vocabulary.to_json() != second.vocabulary.to_json():
        raise CheckpointError(
            "the models of `model=` and `nar=` have different vocabularies",
            hint="train both on the same data, whose phonemes make the vocabulary",
        )
    if first.model.sizes.levels > second.model.sizes.levels:
        raise CheckpointError(
            f"the model of `model=` was trained with {first.model.sizes.levels} levels, that of "
            f"`nar=` has {second.model.sizes.levels}",
            hint="give two models with the same number of levels",
        )


def _require_same_facts(first: Bundle, second: Bundle) -> None:
    # A file of e-c-k-e-r/vall-e states only the name of its codec.
    codecs = as_told(first.codec, second.codec), as_told(second.codec, first.codec)
    sizes, others = first.model.sizes, second.model.sizes
    facts = {
        "codes of the codec": codecs,
        "codebooks of": (sizes.codebook_size, others.codebook_size),
        "the languages": (first.config.text.languages, second.config.text.languages),
    }
    for what, (mine, theirs) in facts.items():
        if mine != theirs:
            raise CheckpointError(
                f"the model of `model=` has {what} {_shown(mine)}, that of `nar=` {_shown(theirs)}",
                hint="give two models that were trained on the same data",
            )


def require_level_0(bundle: Bundle) -> None:
    """Raise `CheckpointError` if nothing of the model writes level 0."""
    can = bundle.config.model.capabilities
    if not {"ar", "len"} & set(can):
        raise CheckpointError(
            f"this model does not write level 0: its capabilities are {', '.join(can)}",
            hint="give a model with the capability ar with `model=`, and this one with `nar=`",
        )


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
