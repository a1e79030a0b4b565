"""What a folder for transformers has beside the model: a tokenizer, and a page that explains it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vall_e.text.symbol_splitter import GLUED, Glued
from vall_e.text.vocabulary import BOS, HEAD, UNK, Vocabulary
from vall_e.weights.file import Bundle

NAMED = "<[^<> ]+>"
"""A token that has a name: `<code:17>`, say. Phonemes hold no such brackets."""

TOKENIZER_CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": HEAD[BOS],
    "eos_token": "<stop>",
    "pad_token": "<stop>",
    "unk_token": HEAD[UNK],
    "clean_up_tokenization_spaces": False,
}


def tokenizer(vocabulary: Vocabulary, names: Sequence[str]) -> dict[str, Any]:
    """The content of a `tokenizer.json`: phonemes and the names of codes become ids.

    `names` has the token of each id. Named tokens are looked up as a whole; phonemes are cut into
    characters, and joined as the vocabulary joins them.
    """
    ids = {name: number for number, name in enumerate(names)} | dict(vocabulary.variants)
    glued = f"|[^<>{GLUED}][{GLUED}]*" if isinstance(vocabulary.splitting, Glued) else ""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "NFC" if vocabulary.adopted else "NFD"},
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": NAMED + glued},
            "behavior": "Isolated",
            "invert": False,
        },
        "post_processor": None,
        "decoder": {"type": "Fuse"},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": HEAD[UNK],
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": True,
            "vocab": ids,
            "merges": [
                list(pair)
                for pair in vocabulary.merges.pairs
                if all(part in ids for part in (*pair, "".join(pair)))
            ],
        },
    }


def readme(bundle: Bundle, order: Sequence[str]) -> str:
    """How to speak with the folder."""
    config = bundle.config
    language, languages = config.text.languages[0], ", ".join(config.text.languages)
    parts = {
        "text": '"<bos>" + phonemes + "<eos>"',
        "language": f'"<language:{language}>"',
        "level": '"<level:0>"',
        "prompt": '"".join(f"<prompt:{code}>" for code in prompt)',
    }
    sequence = ",\n    ".join(parts[name] for name in order if name in parts)
    return f"""---
library_name: transformers
pipeline_tag: text-to-speech
---
# Level 0 of a VALL-E voice, as a Llama

This folder was written by `vall-e export --to hf`. It holds the AR stage of a text-to-speech model:
a language model that reads phonemes and the codes of a voice, and writes level 0 of the codes of
speech. The other levels are written by a stage that looks at all frames at once, which no causal
language model can do: level 0 alone sounds rough.

* phonemizer: `{config.text.phonemizer.component.name}`, languages: {languages}
* codec: `{bundle.codec}`
* `vocabulary.json` names all tokens and tells their order

```python
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("FOLDER")
model = AutoModelForCausalLM.from_pretrained("FOLDER")
phonemes = "..."  # of what is to be said: vall-e's FrontEnd, or the phonemizer's own program
prompt = []  # level 0 of the codes of a recording of the voice
text = "<separator>".join([
    {sequence},
    "",
])
ids = tokenizer(text, return_tensors="pt").input_ids
made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=1000)
spoken = tokenizer.convert_ids_to_tokens(made[0, ids.shape[1]:])
codes = [int(token[6:-1]) for token in spoken if token.startswith("<code:")]
```

In `vall_e` the codec makes sound of the codes, and codes of a recording (level 0 is the first row):

```python
import vall_e

voice = vall_e.load(WEIGHTS)  # the file that this folder was made of
prompt = voice.voice("me.wav").codes.values[0].tolist()
phonemes = voice.front_end.phonemes("Hello.", "{language}")
audio = voice.codec.decode(torch.tensor([[codes]]))  # (1, 1, samples)
```

Only speak in the voice of somebody who has agreed to it, and say that the speech is synthetic.
"""
