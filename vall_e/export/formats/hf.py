"""A folder that Hugging Face's transformers loads as a Llama language model.

It has one vocabulary: phoneme symbols, languages, levels, a separator, and the codes of prompt and
response. It contains the AR stage, which generates level 0; the NAR stage sees all frames at once,
which a causal language model cannot do.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from safetensors.torch import save_file
from torch import Tensor

from vall_e.atomic_write import make_folder
from vall_e.config.schema import RunConfig
from vall_e.errors import CheckpointError
from vall_e.export.formats.hf_tokenizer import TOKENIZER_CONFIG, readme, tokenizer
from vall_e.interfaces.task import Sample
from vall_e.model.sequence import Segment
from vall_e.weights.file import Bundle

LONGEST = 8192
"""Maximum positions in the configuration. Rotary positions have no limit of their own."""


class HuggingFaceExporter:
    """`config.json`, `generation_config.json`, `model.safetensors`, the tokenizer, a README."""

    suffix = ".hf"

    def check(self, config: RunConfig) -> None:
        """Before training: a bias that is trained will not stay zero."""
        _require_plain(config, biased=config.model.head_bias)

    def __call__(self, bundle: Bundle, path: Path) -> None:
        require_expressible(bundle)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise CheckpointError(f"{path} already exists", hint="give a new folder with -o")
        make_folder(path.parent, error=CheckpointError)
        part = path.with_name(f"{path.name[:48]}.{os.getpid()}.part")
        try:
            part.mkdir()
            _write(bundle, part)
            os.replace(part, path)
        except OSError as exc:
            raise CheckpointError(
                f"{path} cannot be written: {exc.strerror}", hint="give another folder with -o"
            ) from exc
        finally:
            shutil.rmtree(part, ignore_errors=True)


@frozen
class TokenLayout:
    """The first id of each kind of token in the single vocabulary."""

    language: int
    level: int
    separator: int
    prompt: int
    response: int
    stop: int

    @classmethod
    def of(cls, bundle: Bundle) -> TokenLayout:
        sizes = bundle.model.sizes
        language = len(bundle.vocabulary)
        level = language + sizes.languages
        prompt = level + 2
        response = prompt + sizes.codebook_size
        return cls(language, level, level + 1, prompt, response, response + sizes.codebook_size)

    @property
    def size(self) -> int:
        return self.stop + 1

    def ids(self, segments: Sequence[Segment]) -> list[int]:
        """The tokens of a sequence that predicts level 0, as laid out by a task."""
        starts = {
            "text": 0,
            "language": self.language,
            "level": self.level,
            "prompt": self.prompt,
            "response": self.response,
        }
        found: list[int] = []
        for number, segment in enumerate(segments):
            if segment.name not in starts:
                raise CheckpointError(
                    f"the single vocabulary has no token for {segment.name!r}",
                    hint="export a model whose first task is tts",
                )
            ids = segment.ids[0] if segment.ids.ndim == 2 else segment.ids
            found += [self.separator] if number else []
            found += [starts[segment.name] + int(token) for token in ids]
        return found


def require_expressible(bundle: Bundle) -> None:
    """Raise `CheckpointError` with the options that a single vocabulary cannot express."""
    biased = bundle.config.model.head_bias and bool(
        bundle.model.heads.layers.get_parameter("0.bias").any()
    )
    _require_plain(bundle.config, biased=biased)


def _require_plain(run: RunConfig, *, biased: bool) -> None:
    config = run.model
    scaling = getattr(config.backbone.options, "rope_scaling", "none")
    wanted = {
        f"model.backbone.rope_scaling ({scaling})": (scaling == "none", "none"),
        f"model.backbone ({config.backbone.component.name})": (
            config.backbone.component.name == "llama",
            "llama",
        ),
        f"model.capabilities {list(config.capabilities)}": ("ar" in config.capabilities, "[ar]"),
        f"model.pattern ({config.pattern})": (config.pattern == "none", "none"),
        f"model.group_size ({config.group_size})": (config.group_size == 1, "1"),
        f"model.ahead ({config.ahead})": (config.ahead == 1, "1"),
        f"model.prompt_levels ({config.prompt_levels})": (
            config.prompt_levels == "known",
            "known: a prompt is then embedded only by level 0",
        ),
        f"model.code_vectors ({config.code_vectors})": (config.code_vectors == "learnt", "learnt"),
        f"model.positions ({config.positions})": (config.positions == "unified", "unified"),
        "model.head_bias (true)": (not biased, "false"),
        f"text.tokenizer ({run.text.tokenizer})": (
            run.text.tokenizer == "characters",
            "characters",
        ),
    }
    wrong = {name: value for name, (fits, value) in wanted.items() if not fits}
    if wrong:
        names = ", ".join(wrong)
        raise CheckpointError(
            f"a plain Llama cannot express this model's {names}",
            hint="train with "
            + "; ".join(f"{name.split()[0]}: {value}" for name, value in wrong.items()),
        )


def _write(bundle: Bundle, folder: Path) -> None:
    layout = TokenLayout.of(bundle)
    tensors = _tensors(bundle, layout)
    dtype = str(tensors["lm_head.weight"].dtype).removeprefix("torch.")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    _write_json(folder / "config.json", _config(bundle, layout, dtype))
    _write_json(folder / "generation_config.json", _generation(layout))
    names, order = _names(bundle), [segment.name for segment in _example(bundle)]
    _write_json(folder / "vocabulary.json", _facts(bundle, names, order))
    _write_json(folder / "tokenizer.json", tokenizer(bundle.vocabulary, names))
    _write_json(folder / "tokenizer_config.json", TOKENIZER_CONFIG)
    (folder / "README.md").write_text(readme(bundle, order), encoding="utf-8")


def _tensors(bundle: Bundle, layout: TokenLayout) -> dict[str, Tensor]:
    model = bundle.model
    embedding = model.embedding
    weights: list[Tensor] = [
        embedding.text.weight,
        embedding.language.weight,
        embedding.level.weight[:1],
        embedding.separator[None],
        embedding.prompt.get_parameter("0.weight"),
        embedding.response.get_parameter("0.weight"),
    ]
    table = torch.cat([weight.detach().cpu() for weight in weights])
    table = torch.cat([table, table.new_zeros(1, table.shape[1])])  # nothing follows the stop
    head = torch.zeros_like(table)
    head[layout.response :] = model.heads.layers.get_parameter("0.weight").detach().cpu()
    body = {
        f"model.{name}": tensor.detach().cpu().contiguous()
        for name, tensor in model.backbone.state_dict().items()  # type: ignore[attr-defined]
    }
    return {"model.embed_tokens.weight": table, **body, "lm_head.weight": head}


def _config(bundle: Bundle, layout: TokenLayout, dtype: str) -> dict[str, Any]:
    options = bundle.config.model.backbone.options
    layer = bundle.model.backbone.layers[0]  # type: ignore[attr-defined]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": layout.size,
        "hidden_size": options.d_model,
        "intermediate_size": layer.mlp.gate_proj.out_features,
        "num_hidden_layers": options.layers,
        "num_attention_heads": options.heads,
        "num_key_value_heads": options.kv_heads or options.heads,
        "hidden_act": options.activation,
        "rms_norm_eps": options.norm_eps,
        "rope_theta": options.rope_theta,
        "max_position_embeddings": LONGEST,
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": layout.stop,
        "pad_token_id": layout.stop,
        "dtype": dtype,
    }


def _generation(layout: TokenLayout) -> dict[str, Any]:
    """Only codes and the stop token are generated: other rows of the output layer are zero."""
    return {
        "do_sample": False,
        "eos_token_id": layout.stop,
        "pad_token_id": layout.stop,
        "suppress_tokens": list(range(layout.response)),
    }


def _names(bundle: Bundle) -> list[str]:
    """Every token, in the order of ids."""
    codes = range(bundle.model.sizes.codebook_size)
    return [
        *bundle.vocabulary.symbols,
        *(f"<language:{code}>" for code in bundle.config.text.languages),
        "<level:0>",
        "<separator>",
        *(f"<prompt:{code}>" for code in codes),
        *(f"<code:{code}>" for code in codes),
        "<stop>",
    ]


def _facts(bundle: Bundle, names: Sequence[str], order: Sequence[str]) -> dict[str, Any]:
    """Every token, and how they form a sequence."""
    return {
        "tokens": {name: number for number, name in enumerate(names)},
        "phonemizer": bundle.config.text.phonemizer.component.name,
        "codec": bundle.codec,
        "order": list(order),
        "rule": "the segments in this order with <separator> between them; text is <bos>, a token "
        "for each phoneme symbol, <eos>; prompt is level 0 of a recording; what is generated is "
        "level 0 of the response, up to <stop>",
    }


def _example(bundle: Bundle) -> list[Segment]:
    """The segments of the model's first task; an error if there is no token for one."""
    task = bundle.config.tasks[0].build()
    sample = Sample(
        text=torch.tensor([1, 2]),
        language=0,
        prompt=torch.zeros(bundle.model.sizes.levels, 1, dtype=torch.long),
        response=torch.zeros(1, 0, dtype=torch.long),
    )
    segments = task.segments(sample, level=0)
    TokenLayout.of(bundle).ids(segments)
    return segments


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
