"""`vall-e serve`: speech over HTTP."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from vall_e.cli.app import App
from vall_e.cli.finite_range import FiniteRange
from vall_e.cli.option_groups import Explained
from vall_e.cli.voices_home import home
from vall_e.damaged_files import damage_as
from vall_e.errors import ConfigError, UnavailableError

PACKAGES = {
    "starlette": "starlette",
    "uvicorn": "uvicorn",
    "prometheus_client": "prometheus-client",
    "python_multipart": "python-multipart",
}
LOCAL = ("127.0.0.1", "localhost", "::1")
EXAMPLES = (
    "vall-e serve",
    "vall-e serve --host 0.0.0.0 --port 8000 --api-key-file keys.txt",
)


@click.command(cls=Explained, examples=EXAMPLES)
@click.option("-m", "--model", metavar="FILE|NAME", help="[default: the built-in model]")
@click.option(
    "-c", "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file of options.",
)  # fmt: skip
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change an option.")
@click.option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps.")
@click.option(
    "--host", default="127.0.0.1", show_default=True,
    help="Address to listen on; 0.0.0.0: all of this machine.",
)  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=8880, show_default=True)
@click.option(
    "--api-key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with a key on each line, one of which clients must send. Also: the variable "
    "VALL_E_API_KEY.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True,
    help="Requests that are spoken at the same time.",
)  # fmt: skip
@click.option(
    "--max-queue", type=click.IntRange(1), default=16, show_default=True,
    help="Requests that may wait; further ones get 429.",
)  # fmt: skip
@click.option(
    "--max-characters", type=click.IntRange(1), default=4096, show_default=True, help="Of a text."
)
@click.option(
    "--deadline", type=FiniteRange(0, min_open=True), default=300.0, show_default=True,
    metavar="SECONDS", help="A request that takes longer is stopped.",
)  # fmt: skip
@click.option("--origin", multiple=True, help="Web origin whose pages may call it (CORS).")
@click.pass_obj
def serve(
    app: App,
    model: str | None,
    config: Path | None,
    overrides: tuple[str, ...],
    device: str | None,
    host: str,
    port: int,
    api_key_file: Path | None,
    workers: int,
    max_queue: int,
    max_characters: int,
    deadline: float,
    origin: tuple[str, ...],
) -> None:
    """Serve speech over HTTP, with OpenAI's interface (POST /v1/audio/speech).

    Ctrl-C and SIGTERM finish what was accepted.
    """
    _require_packages()
    import uvicorn

    from vall_e.server.app import Server
    from vall_e.server.options import ServerOptions
    from vall_e.synthesis.load import LoadOptions, open_synthesizer

    keys = _keys(app, api_key_file)
    if host not in LOCAL and not keys:
        click.echo(f"Note: anybody who reaches {host} can use it: --api-key-file", err=True)
    load = LoadOptions(
        model=model,
        config=config,
        overrides=overrides,
        environ=app.environ,
        home=home(app),
        device=device,
    )
    server = Server(
        lambda: open_synthesizer(load, app.registry),
        Path(model).stem if model else "embedded",
        ServerOptions(
            workers=workers,
            max_queue=max_queue,
            max_characters=max_characters,
            deadline_seconds=deadline,
            api_keys=keys,
            origins=origin,
        ),
    )
    click.echo(f"http://{host}:{port}/v1/audio/speech", err=True)
    uvicorn.run(server.app(), host=host, port=port, log_level="warning", server_header=False)


def _require_packages() -> None:
    missing = [name for module, name in PACKAGES.items() if not importlib.util.find_spec(module)]
    if missing:
        raise UnavailableError(
            f"the server needs {', '.join(missing)}, not installed here",
            hint='pip install "vall-e[serve]"',
        )


def _keys(app: App, file: Path | None) -> tuple[str, ...]:
    lines: list[str] = []
    if file:
        with damage_as(ConfigError, file, what="cannot be read", hint="save it as UTF-8"):
            lines = file.read_text(encoding="utf-8").splitlines()
    keys = [line.strip() for line in [*lines, app.environ.get("VALL_E_API_KEY", "")]]
    found = tuple(key for key in keys if key)
    if file and not found:
        raise ConfigError(f"{file} has no keys", hint="write one on each line")
    return found
