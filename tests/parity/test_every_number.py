"""No number of the fixtures is left that no test compares."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).parents[1]
NOV04 = "nov04_(default_d64_l4|released_d64_l8)"
NOV19 = "nov19_len_d32_l4"
VARIANT = "(base|lang)"
COMPARED = {
    ("parity/test_passes.py", "test_the_passes_give_the_same_numbers"): (
        rf"{NOV04}/fixture/{VARIANT}\.(logits|embeds|pos)\.q\d\.\d",
        rf"{NOV19}/fixture/logits\.q\d\.0",
    ),
    ("parity/test_passes.py", "test_losses_are_the_same"): (
        rf"{NOV04}/scalars/{VARIANT}\.loss\.q\d\.batch\d",
    ),
    ("parity/test_passes.py", "test_later_losses_are_the_same"): (
        rf"{NOV19}/scalars/joint_(all|outputs_only)\.loss\.q\d",
    ),
    ("parity/test_passes.py", "test_gradients_are_the_same"): (
        rf"{NOV04}/scalars/{VARIANT}\.gradnorm\.q\d\.batch2",
        rf"{NOV04}/meta/{VARIANT}\.gradnorms\.q\d\.batch2",
    ),
    ("parity/test_passes.py", "test_greedy_decoding_writes_the_same_frames"): (
        rf"{NOV04}/fixture/{VARIANT}\.ar_greedy\.\d",
        rf"{NOV19}/fixture/ar_greedy\.\d",
    ),
    ("parity/test_passes.py", "test_a_penalised_decoding_writes_the_same_frames"): (
        rf"{NOV04}/fixture/{VARIANT}\.ar_greedy_reppen1\.5\.0",
        rf"{NOV19}/fixture/ar_greedy_reppen1\.5\.0",
    ),
    ("parity/test_passes.py", "test_without_a_prompt_the_same_frames_are_written"): (
        rf"{NOV04}/fixture/{VARIANT}\.ar_greedy_noprom\.0",
    ),
    ("parity/test_passes.py", "test_the_later_levels_are_filled_the_same"): (
        rf"{NOV04}/fixture/{VARIANT}\.nar_greedy\.\d",
        rf"{NOV19}/fixture/nar_greedy\.\d",
    ),
    ("parity/test_tasks.py", "test_a_marker_in_the_prompt_gives_the_same_numbers"): (
        rf"{NOV04}/fixture/base\.logits\.ns\.q\d\.0",
    ),
    ("parity/test_tasks.py", "test_recognition_gives_the_same_numbers"): (
        rf"{NOV04}/fixture/{VARIANT}\.logits\.stt\.0",
    ),
    ("parity/test_tasks.py", "test_losses_of_recognition_are_the_same"): (
        rf"{NOV04}/scalars/{VARIANT}\.loss\.stt\.batch2",
    ),
    ("parity/test_tasks.py", "test_accuracies_are_the_same"): (
        rf"{NOV04}/scalars/{VARIANT}\.acc\.q\d\.batch\d",
    ),
    ("parity/test_tasks.py", "test_later_accuracies_are_the_same"): (
        rf"{NOV19}/scalars/joint_(all|outputs_only)\.stats\.q\d",
    ),
    ("parity/test_tasks.py", "test_losses_by_segment_are_the_same"): (
        rf"{NOV19}/scalars/split_(all|outputs_only)\.(loss|stats)\.q\d",
    ),
    ("parity/test_tasks.py", "test_a_lora_gives_the_same_numbers"): (
        r"nov04_released_d64_l8/lora_fixture/lora\.logits\.q\d\.0",
    ),
    ("parity/test_tasks.py", "test_losses_of_a_text_by_other_heads_are_the_same"): (
        rf"{NOV19}/scalars/split_(all|outputs_only)\.loss\.(nar00|len)",
    ),
    ("parity/test_len.py", "test_masked_frames_and_guidance_give_the_same_logits"): (
        rf"{NOV19}/fixture/logits\.nar00(_null)?\.0",
        rf"{NOV19}/fixture/cfg\.s\d\.0\.r0\.\d+\.0",
    ),
    ("parity/test_len.py", "test_lengths_give_the_same_logits"): (
        rf"{NOV19}/fixture/logits\.len\.0",
        rf"{NOV19}/scalars/len_greedy",
    ),
    ("parity/test_len.py", "test_losses_are_the_same"): (
        rf"{NOV19}/scalars/joint_(all|outputs_only)\.loss\.(nar00|len)",
    ),
    ("parity/test_len.py", "test_demasking_writes_the_same_frames"): (
        rf"{NOV19}/fixture/narmask_greedy\.steps8\.cfg[02]\.0\.\d",
    ),
    ("parity/test_len.py", "test_guided_frames_are_the_same"): (
        rf"{NOV19}/fixture/ar_greedy_cfg2\.0",
    ),
    ("parity/test_samplers.py", "test_repetitions_are_penalised_as_at_first"): (
        r"samplers/nov04/reppen_nov04\..*",
    ),
    ("parity/test_samplers.py", "test_repetitions_are_penalised_as_later"): (
        r"samplers/nov19/reppen_nov19\.(ar|nar)\..*",
    ),
    ("parity/test_samplers.py", "test_the_end_is_put_off_the_same"): (
        r"samplers/nov19/lenpen\..*",
    ),
    ("parity/test_samplers.py", "test_what_is_kept_is_the_same"): (
        r"samplers/nov19/(topk|topp|topk10|minp|topno)\..*",
    ),
    ("parity/test_samplers.py", "test_temperatures_are_the_same"): (r"samplers/nov19/dyntemp\..*",),
    ("parity/test_samplers.py", "test_phrases_are_penalised_the_same"): (
        r"samplers/nov19/dry\..*",
    ),
    ("parity/test_samplers.py", "test_entropies_are_the_same"): (
        r"samplers/nov19/entropy\.(one|many)",
        r"samplers/nov19/entropix\.metrics",  # its first two
    ),
    ("parity/test_samplers.py", "test_mirostat_goes_the_same_way"): (
        r"samplers/nov19/mirostat\.trace",
    ),
    ("parity/test_samplers.py", "test_a_search_continues_from_the_same_beams"): (
        r"samplers/nov19/beam\.top4_batch_token",
    ),
}
INPUTS = r".*/in\.\w+(\.\d)?"
FOLDERS = ("nov04_default_d64_l4", "nov04_released_d64_l8", "nov19_len_d32_l4", "samplers")
"""Of the models that are read; `docs/ecker_models.md` names those that are not read yet."""


def numbers(folder):
    """The name of each array and scalar."""
    for path in sorted(path for name in FOLDERS for path in (folder / name).glob("*.npz")):
        yield from (f"{path.parent.name}/{path.stem}/{key}" for key in np.load(path).files)
    for path in sorted(path for name in FOLDERS for path in (folder / name).glob("meta.json")):
        meta = json.loads(path.read_text())
        yield from (f"{path.parent.name}/scalars/{key}" for key in meta["scalars"])
        yield from (f"{path.parent.name}/meta/{key}" for key in meta if "gradnorms" in key)


def test_every_number_is_compared(parity_folder):
    patterns = [INPUTS, *(p for found in COMPARED.values() for p in found)]
    left = [
        name for name in numbers(parity_folder) if not any(re.fullmatch(p, name) for p in patterns)
    ]
    assert not left


@pytest.mark.parametrize(("file", "test"), COMPARED)
def test_what_compares_it_is_there(file, test, parity_folder):
    assert f"\ndef {test}(" in (TESTS / file).read_text(encoding="utf-8")
    names = list(numbers(parity_folder))
    for pattern in COMPARED[file, test]:
        assert any(re.fullmatch(pattern, name) for name in names), pattern
