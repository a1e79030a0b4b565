"""A YAML file on top of those that it includes."""

import pytest

from vall_e.config.load import load, load_with_origins
from vall_e.errors import ConfigError


def write(folder, **files):
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "run.yaml"


def test_the_file_itself_wins_then_the_later_included(tmp_path, registry):
    run = write(
        tmp_path,
        one="training: {max_steps: 1, seed: 1, keep: 1}",
        two="training: {max_steps: 2, seed: 2}",
        run="include: [one.yaml, two.yaml]\ntraining: {max_steps: 3}",
    )
    found = load(run, registry).training
    assert (found.max_steps, found.seed, found.keep) == (3, 2, 1)


def test_a_list_is_replaced_as_a_whole(tmp_path, registry):
    run = write(
        tmp_path,
        base="text: {languages: [en-us, de]}",
        run="include: base.yaml\ntext: {languages: [fr-fr]}",
    )
    assert load(run, registry).text.languages == ("fr-fr",)


def test_paths_count_from_the_file_that_they_are_written_in(tmp_path, registry):
    run = write(
        tmp_path, shared__base="data: {train: [mine]}\n",
        run="include: shared/base.yaml\ndata: {validation: [held-out]}",
    )  # fmt: skip
    data = load(run, registry).data
    assert data.train == (str(tmp_path / "shared" / "mine"),)
    assert data.validation == (str(tmp_path / "held-out"),)


def test_each_value_has_the_file_and_line_it_was_written_in(tmp_path, registry):
    run = write(
        tmp_path, base="training:\n  seed: 5\n", run="include: base.yaml\ntraining: {keep: 2}"
    )
    loaded = load_with_origins(run, registry)
    assert str(loaded.origin(("training", "seed"))) == f"{tmp_path / 'base.yaml'}:2"
    assert str(loaded.origin(("training", "keep"))) == f"{run}:2"


def test_included_files_include_others(tmp_path, registry):
    run = write(
        tmp_path,
        a="training: {seed: 7}",
        b="include: a.yaml",
        run="include: b.yaml",
    )
    assert load(run, registry).training.seed == 7


def test_a_mistake_in_an_included_file_names_that_file(tmp_path, registry):
    run = write(tmp_path, base="training: {sed: 1}", run="include: base.yaml")
    with pytest.raises(ConfigError, match=r"base\.yaml:1: training\.sed: unknown key"):
        load(run, registry)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"run": "include: run.yaml"}, r"run\.yaml -> .*run\.yaml includes itself"),
        ({"a": "include: run.yaml", "run": "include: a.yaml"}, "includes itself"),
        ({"run": "include: gone.yaml"}, r"gone\.yaml cannot be read"),
        ({"run": "include: 3"}, r"run\.yaml:1: include names files, not 3"),
        ({"run": "include: {a: b}"}, "include names files"),
        ({"run": "include: ['']"}, "include names files"),
        ({"a": "", "run": f"include: [{', '.join(['a.yaml'] * 21)}]"}, "more than 20 files"),
    ],
    ids=["itself", "a circle", "missing", "number", "mapping", "empty", "many"],
)
def test_what_cannot_be_included_is_explained(tmp_path, registry, files, message):
    with pytest.raises(ConfigError, match=message):
        load(write(tmp_path, **files), registry)
