"""The `vall-e` command, also as `python -m vall_e`."""

from __future__ import annotations

import signal


def main() -> None:
    """Run it. Ctrl-C while its modules are imported ends it as any program, without a traceback."""
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from vall_e.cli.app import cli

    signal.signal(signal.SIGINT, usual)
    cli(prog_name="vall-e")


if __name__ == "__main__":
    main()
