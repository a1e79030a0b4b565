import csv
from pathlib import Path

import pytest
import soundfile as sf
from click.testing import CliRunner
from say import main

from vall_e.config.schema import CodecChoice
from vall_e.model.weights import save
from vall_e.testing.tiny import tiny_bundle

SHORT = {"max_seconds": 0.2, "seconds_per_symbol": [0.0, 0.25]}


@pytest.fixture(scope="module")
def weights(registry, tmp_path_factory):
    component = registry.get("codec", "embedded")
    codec = CodecChoice(component, component.config()).build()
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save(tiny_bundle(registry, codec, codec="embedded", synthesis=SHORT), path)
    return path


@pytest.mark.slow
def test_every_sentence_is_said_in_every_voice(tmp_path, weights):
    sentences = tmp_path / "sentences.txt"
    sentences.write_text("Glue the sheet.\n\nThe sea is calm.\nOne too many.\n")
    spoken = tmp_path / "spoken"
    options = [sentences, "--voice", "kathleen", "--voice", "linda", "--count", 2]
    done = CliRunner().invoke(main, [*map(str, options), "-o", str(spoken), "-m", str(weights)])
    assert done.exit_code == 0, done.output
    with (spoken / "list.tsv").open() as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    assert [(row["speaker"], row["text"]) for row in rows] == [
        ("kathleen", "Glue the sheet."),
        ("kathleen", "The sea is calm."),
        ("linda", "Glue the sheet."),
        ("linda", "The sea is calm."),
    ]
    for row in rows:
        assert sf.info(spoken / row["path"]).frames > 0
        assert Path(row["reference"]).is_file()


def test_an_unknown_voice_is_an_error(tmp_path, weights):
    sentences = tmp_path / "sentences.txt"
    sentences.write_text("Glue the sheet.\n")
    options = [sentences, "--voice", "catleen", "-m", weights, "-o", tmp_path / "spoken"]
    done = CliRunner().invoke(main, [*map(str, options)])
    assert done.exit_code == 1
    assert "no voice is called 'catleen'" in done.output
