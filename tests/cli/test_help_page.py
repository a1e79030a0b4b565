"""docs/cli.md is what `--help` says."""

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "tools" / "cli_page.py"


def test_the_page_is_not_stale():
    spec = importlib.util.spec_from_file_location("cli_page", SCRIPT)
    cli_page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cli_page)
    written = cli_page.PAGE.read_text(encoding="utf-8")
    assert written == cli_page.page(), "run `python tools/cli_page.py`"
