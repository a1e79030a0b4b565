"""`requires` in a YAML file."""

import pytest

from vall_e.config.errors import InvalidConfigError
from vall_e.config.load import load
from vall_e.errors import PluginError


def written(folder, text):
    path = folder / "run.yaml"
    path.write_text(text)
    return path


def test_what_is_missing_is_reported_before_anything_else_with_the_line_for_pip(
    site, registry, tmp_path
):
    site.install("some-plugin", "x = 1", version="1.2")
    path = written(
        tmp_path,
        'requires: ["no-such-thing>=0.1,<1", some-plugin>=2, "some-plugin>1"]\n'
        "model: {backbone: nobody-has-this}\n",
    )
    with pytest.raises(PluginError) as caught:
        load(path, registry)
    assert caught.value.message == (
        f"{path} requires packages that are missing: no-such-thing>=0.1,<1: not installed; "
        "some-plugin>=2: 1.2 is installed"
    )
    assert caught.value.hint == "pip install 'no-such-thing>=0.1,<1' 'some-plugin>=2'"


def test_what_is_installed_or_for_other_machines_does_not_matter(site, registry, tmp_path):
    site.install("some-plugin", "x = 1", version="1.2")
    path = written(tmp_path, "requires: [some-plugin==1.*, 'nope; sys_platform == \"other\"']\n")
    assert load(path, registry).requires[0] == "some-plugin==1.*"


def test_what_is_not_a_requirement_is_a_mistake_with_its_place(registry, tmp_path):
    with pytest.raises(InvalidConfigError, match=r"'some plugin' is not a requirement"):
        load(written(tmp_path, "requires: [some plugin]\n"), registry)


def test_what_is_not_text_is_reported_where_it_is_written(tmp_path, registry):
    with pytest.raises(InvalidConfigError, match=r"requires.*expected text, got 3"):
        load(written(tmp_path, "requires: [3]\n"), registry)
