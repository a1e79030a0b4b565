"""A vocabulary taken over with the weights of another project: several spellings for one id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vall_e.errors import CheckpointError
from vall_e.text.bpe_merges import Merges
from vall_e.text.vocabulary import EOS, HEAD, UNK, Vocabulary

THEIR_EOS = "</eos>"


def adopt(
    ids: Mapping[str, int], size: int, *, merges: Sequence[tuple[str, str]] | None = None
) -> Vocabulary:
    """The vocabulary whose model has `size` rows for text.

    Raises `CheckpointError` where the special symbols are others than ours, where an id has no row,
    and where longer symbols need merges that are not known.
    """
    by_id: dict[int, list[str]] = {}
    for symbol, index in ids.items():
        by_id.setdefault(index, []).append(HEAD[EOS] if symbol == THEIR_EOS else symbol)
    for index, name in enumerate(HEAD):
        if name not in by_id.get(index, ()):
            raise CheckpointError(
                f"the tokenizer gives id {index} to {by_id.get(index, ['nothing'])[0]!r}, "
                f"not to {name}",
                hint="only byte-pair tokenizers of e-c-k-e-r/vall-e (tokenizer.json) can be read",
            )
        by_id[index] = [name]
    beyond = [symbol for symbol, index in ids.items() if not UNK <= index < size]
    if beyond:
        raise CheckpointError(
            f"the tokenizer has ids beyond the model's {size} rows for text: {beyond[:5]}",
            hint="give the tokenizer.json that the model was trained with",
        )
    longer = [symbol for symbol in ids if len(symbol) > 1 and ids[symbol] >= len(HEAD)]
    if merges is None and longer:
        raise CheckpointError(
            f"the file has ids of longer symbols ({longer[0]!r}, say), but not how letters are "
            "joined to them",
            hint="put the tokenizer.json of the model's release beside it, or name it: "
            "vall-e models convert --tokenizer FILE",
        )
    return Vocabulary(
        tuple(by_id.get(index, [unused(index)])[0] for index in range(size)),
        variants=tuple((s, i) for i, symbols in sorted(by_id.items()) for s in symbols[1:]),
        merges=Merges(tuple(merges or ())),
        adopted=True,
    )


def read_tokenizer(content: Mapping[str, Any], size: int) -> Vocabulary:
    """Of the content of a `tokenizer.json`."""
    model = content.get("model")
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE" or "vocab" not in model:
        raise CheckpointError(
            "the tokenizer is no byte-pair tokenizer",
            hint="give the tokenizer.json that the model was trained with",
        )
    added = {token["content"]: token["id"] for token in content.get("added_tokens", ())}
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    return adopt({**model["vocab"], **added}, size, merges=[(a, b) for a, b in pairs])


def their_ids(vocabulary: Vocabulary) -> dict[str, int]:
    """The ids by symbol, as `adopt` takes them.

    Raises `CheckpointError` for a vocabulary whose texts are split by more than merges.
    """
    if vocabulary.splitting is not None:
        raise CheckpointError(
            "e-c-k-e-r/vall-e's tokenizer cannot split texts as this model's text.tokenizer does",
            hint="export a model with text.tokenizer: characters, or --to safetensors",
        )
    own = {s: i for i, s in enumerate(vocabulary.symbols) if s not in (unused(i), HEAD[EOS])}
    return own | {THEIR_EOS: EOS} | dict(vocabulary.variants)


def unused(index: int) -> str:
    """Stands for an id without a symbol; no text ever holds it."""
    return f"<unused-{index}>"
