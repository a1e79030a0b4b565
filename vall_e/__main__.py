"""The `vall-e` command, also as `python -m vall_e`."""

from __future__ import annotations

import signal


def main() -> None:
    """Run it. Ctrl-C during imports ends it like any program, without a traceback."""
    # A background job may have been started with Ctrl-C ignored, and continues to ignore it.
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from vall_e.cli.app import cli

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli(prog_name="vall-e")


if __name__ == "__main__":
    main()
