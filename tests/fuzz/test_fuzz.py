"""The fuzzer finds what it looks for, and says how to see it again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz import damage
from readers import BY_NAME

FUZZ = Path(__file__).parent
PLANTED = """
import json, os, signal, sys, time
sys.path.insert(0, sys.argv[1])
from fuzz import Limits, report, run
from readers import Reader
from vall_e.errors import DataError

def write(folder):
    (folder / "a.txt").write_text("hello")

def changed(folder):
    return (folder / "a.txt").read_bytes() != b"hello"

def ours(folder):
    raise DataError("a.txt is damaged", hint="copy it again")

def loop(folder):
    while changed(folder):
        pass

bad = {
    "ours": ours,
    "wrong": lambda folder: changed(folder) and {}["key"],
    "crash": lambda folder: changed(folder) and os.kill(os.getpid(), signal.SIGSEGV),
    "loop": loop,
    "wait": lambda folder: changed(folder) and time.sleep(100),
}
readers = [Reader(name, write, read) for name, read in bad.items()]
done = run(readers, 1.0, 2, Limits(processor_seconds=1, wall_seconds=3.0))
good = report(done)
print(json.dumps([good, {w.reader.name: [w.tried, *(f.what for f in w.failures)] for w in done}]))
"""


@pytest.fixture(scope="module")
def planted():
    command = [sys.executable, "-c", PLANTED, str(FUZZ)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *lines, last = done.stdout.splitlines()
    return lines, *json.loads(last)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("wrong", "KeyError: 'key'"),
        ("crash", "the process crashed: SIGSEGV"),
        ("loop", "it hangs"),
        ("wait", "it hangs"),
    ],
)
def test_planted_faults_are_found_with_how_to_see_them_again(planted, kind, says):
    lines, good, found = planted
    assert not good
    assert any(says in what for what in found[kind][1:])
    assert f"  again: python tests/fuzz/fuzz.py --only {kind} --input 0" in lines


@pytest.mark.slow
def test_errors_of_ours_are_what_damaged_files_should_raise(planted):
    _, _, found = planted
    [tried, *failures] = found["ours"]
    assert tried > 10
    assert not failures


def test_an_input_is_the_same_each_time(tmp_path):
    reader = BY_NAME["yaml"]
    (tmp_path / "valid").mkdir()
    reader.write(tmp_path / "valid")
    folders = [tmp_path / str(i) for i in range(2)]
    first, second = (damage(reader, 17, tmp_path / "valid", folder) for folder in folders)
    valid = (tmp_path / "valid" / "run.yaml").read_bytes()
    assert first.read_bytes() == second.read_bytes() != valid
