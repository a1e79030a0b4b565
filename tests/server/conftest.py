import time
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient
from tiny_synthesizer import codec, registry, speaker, tiny, tone, weights  # noqa: F401

from vall_e.server.app import Server
from vall_e.server.options import ServerOptions
from vall_e.synthesis.voice_library import Voices


@pytest.fixture
def serve(speaker, tmp_path):  # noqa: F811
    """Start a server of a tiny model; gives its client and the server."""

    @contextmanager
    def start(synthesizer=None, **options):
        made = synthesizer or speaker(voices=Voices(tmp_path / "home"))
        server = Server(lambda: made, "tiny", ServerOptions(**options))
        with TestClient(server.app()) as client:
            _wait_until(lambda: server.speech is not None)
            yield client, server

    return start


@pytest.fixture
def client(serve):
    with serve() as (client, _):
        yield client


@pytest.fixture
def wait_until():
    return _wait_until


def _wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
