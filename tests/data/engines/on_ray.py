"""The laws of the engine `ray`, and a dataset that it makes, on a cluster of this machine."""

import os
import sys
from functools import partial
from pathlib import Path

import click
import ray
from attrs import frozen
from test_process import Letters, make, sound

from vall_e.data.engines.components import DATA_ENGINES
from vall_e.data.engines.local import LocalDataEngine
from vall_e.data.ingest.process import process
from vall_e.data.ingest.recordings import find_recordings
from vall_e.testing import contract_of
from vall_e.testing.contracts.run import laws_of, try_law


@frozen
class Deadly(Letters):
    """The first worker that comes to recording d dies."""

    mark: Path

    def phonemes(self, text, language):
        if text == "Hello d" and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getppid(), 9)  # that of Ray, whose process this one is
            os.kill(os.getpid(), 9)
        return super().phonemes(text, language)


def make_deadly(mark):
    preparer = make()
    return type(preparer)(preparer.codec, Deadly(mark), "letters", preparer.languages)


def check_laws(component):
    contract = contract_of("data-engine", component)
    for law in laws_of(contract):
        finding = try_law(contract, law)
        click.echo(f"{law}: {finding.status} {finding.reason}".strip())


def check_dataset(component, folder):
    (folder / "audio").mkdir()
    for number, name in enumerate("abcde5"):
        sound(0.3 + number / 20, seed=number).write(folder / "audio" / f"{name}.wav")
        (folder / "audio" / f"{name}.txt").write_text(f"Hello {name}")
    recordings = find_recordings(folder / "audio")
    engine = component.build(component.config(block=2), workers=2)
    process(
        recordings, folder / "here", partial(make_deadly, Path(__file__)), engine=LocalDataEngine()
    )
    process(
        recordings[1:2],
        folder / "there",
        partial(make_deadly, Path(__file__)),
        engine=LocalDataEngine(),
    )
    report = process(
        recordings, folder / "there", partial(make_deadly, folder / "died"), engine=engine
    )
    assert (folder / "died").exists()
    assert (report.done, report.already, len(report.skipped)) == (4, 1, 1)
    for name in ("codes.i16", "manifest.jsonl", "dataset.json", "skipped.jsonl"):
        assert (folder / "here" / name).read_bytes() == (folder / "there" / name).read_bytes()
    click.echo("the same, though a worker died")


if __name__ == "__main__":
    [_, found] = DATA_ENGINES
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    check_dataset(found, Path(sys.argv[1]))
    check_laws(found)
    ray.shutdown()
