"""docs/attention.md says what there is, and its example runs."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "attention.md").read_text(encoding="utf-8")


def test_every_installed_kernel_is_in_the_table(registry):
    rows = re.findall(r"^\| (`[^|]+) \|", PAGE, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`([a-z0-9-]+)`", row)}
    assert {o.component.name for o in registry.offers if o.kind == "attention"} <= told


def test_the_example_keeps_a_map_for_each_layer():
    [block] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    seen = {}
    exec(block, seen)  # noqa: S102 - our own page
    assert seen["first"].shape == seen["second"].shape == (1, 4, 5, 5)
