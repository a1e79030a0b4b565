"""The commands of docs/lora.md, word for word in an empty folder."""

import re
import shutil
from pathlib import Path

import pytest

import vall_e

ROOT = Path(__file__).parents[2]
# How long a reader waits is not in the commands: it comes by the environment.
SHORT = {
    "VALL_E__TRAINING__MAX_STEPS": "2",
    "VALL_E__DATA__BATCH_SECONDS": "8",
    "VALL_E__SYNTHESIS__MAX_SECONDS": "1",
}


def block(language):
    page = (ROOT / "docs" / "lora.md").read_text(encoding="utf-8")
    [found] = re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)
    return found


@pytest.mark.slow
def test_a_voice_is_made_as_the_page_says(typed, tmp_path):
    for name in ("my-recordings", "my-held-out"):
        shutil.copytree(ROOT / "tests" / "speech", tmp_path / name)
    shutil.copy(tmp_path / "my-recordings" / "a0031.flac", tmp_path / "my-recordings" / "first.wav")
    (tmp_path / "my-voice.yaml").write_text(block("yaml"))
    typed(block("sh"), **SHORT)
    assert (tmp_path / "me.wav").stat().st_size > 1000
    assert (tmp_path / "me.lora.safetensors").stat().st_size < 1e6
    found = {"vall_e": vall_e}
    exec(block("python"), found)  # noqa: S102 - the page is ours
    assert not found["synthesizer"].loras
