"""The commands of docs/training.md that make a voice, word for word in an empty folder."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTION = "Your own voice, from the embedded model"
# How long a reader waits is not in the commands: it comes by the environment.
SHORT = {
    "VALL_E__TRAINING__MAX_STEPS": "2",
    "VALL_E__DATA__BATCH_SECONDS": "8",
    "VALL_E__SYNTHESIS__MAX_SECONDS": "1",
}


def blocks(language: str) -> list[str]:
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    section = page.split(f"## {SECTION}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, flags=re.DOTALL)


@pytest.mark.slow
def test_a_voice_is_made_of_the_embedded_model(typed, tmp_path):
    for name in ("my-recordings", "my-held-out"):
        shutil.copytree(ROOT / "tests" / "speech", tmp_path / name)
    shutil.copy(tmp_path / "my-recordings" / "a0031.flac", tmp_path / "my-recordings" / "first.wav")
    (yaml,) = blocks("yaml")
    (tmp_path / "my-voice.yaml").write_text(yaml)
    (script,) = blocks("sh")
    assert "from step 0 to 2, with the weights of embedded" in typed(script, **SHORT)
    assert (tmp_path / "me.wav").stat().st_size > 1000
