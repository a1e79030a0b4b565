from pathlib import Path

import pytest

from vall_e.audio.clip import Clip

SPEECH = Path(__file__).parents[1] / "speech"
TEXTS = dict(
    line.split("\t")[:2]
    for line in (SPEECH / "transcripts.tsv").read_text(encoding="utf-8").splitlines()[1:]
)


@pytest.fixture(scope="session")
def spoken():
    """Two recordings of one speaker: the clip and what is said, by name."""
    return {Path(name).stem: (Clip.read(SPEECH / name), text) for name, text in TEXTS.items()}
