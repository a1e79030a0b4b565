"""Keys, limits, readiness, voices, the queue, cancellation and the end of a server."""

import asyncio
import base64
import io
import threading

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from vall_e.errors import CheckpointError
from vall_e.server.app import Server
from vall_e.server.errors import RequestError
from vall_e.server.speech_queue import SpeechQueue
from vall_e.synthesis.request import Request
from vall_e.synthesis.result import Result

SPEECH, VOICES = "/v1/audio/speech", "/v1/audio/voices"
BODY = {"input": "one two", "seed": 1, "response_format": "pcm"}


class Held:
    """A synthesizer that speaks only after it is released."""

    def __init__(self, synthesizer):
        self.synthesizer, self.gate, self.begun = synthesizer, threading.Event(), 0
        self.stopped_after = []

    def __getattr__(self, name):
        return getattr(self.synthesizer, name)

    def stream(self, request, *, on_progress):
        self.begun += 1
        frames = 0

        def progress(step):
            nonlocal frames
            frames += 1
            try:
                on_progress(step)
            except BaseException:
                self.stopped_after.append(frames)
                raise

        assert self.gate.wait(60)
        return self.synthesizer.stream(request, on_progress=progress)


@pytest.fixture
def held(tiny):
    found = Held(tiny)
    yield found
    found.gate.set()


def test_a_key_is_needed_if_there_are_keys(serve):
    with serve(api_keys=("right", "other")) as (client, _):
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 200
        for wrong in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic right"}):
            answer = client.post(SPEECH, json=BODY, headers=wrong)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "invalid_api_key"
        answer = client.post(SPEECH, json=BODY, headers={"Authorization": "Bearer other"})
        assert answer.status_code == 200


def test_a_server_is_not_ready_before_its_model(tiny, wait_until):
    gate = threading.Event()

    def load():
        gate.wait(60)
        return tiny

    server = Server(load, "tiny")
    with TestClient(server.app()) as client:
        assert client.get("/health").status_code == 200
        answer = client.get("/ready")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert client.post(SPEECH, json=BODY).status_code == 503
        gate.set()
        wait_until(lambda: client.get("/ready").status_code == 200)


def test_a_model_that_cannot_be_loaded_is_the_reason(caplog, wait_until):
    def load():
        raise CheckpointError("the file is damaged")

    server = Server(load, "tiny")
    with TestClient(server.app()) as client:
        wait_until(lambda: server.failure)
        answer = client.get("/ready")
    assert (answer.status_code, "the file is damaged" in answer.text) == (503, True)


def test_more_requests_than_fit_the_queue_get_429(serve, held, wait_until):
    with serve(held, max_queue=1) as (client, _):
        answers = []

        def ask():
            answers.append(client.post(SPEECH, json=BODY))

        first = threading.Thread(target=ask)
        first.start()
        wait_until(lambda: held.begun == 1)
        second = threading.Thread(target=ask)
        second.start()
        wait_until(lambda: "vall_e_waiting 1.0" in client.get("/metrics").text)
        refused = client.post(SPEECH, json=BODY)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full")
        assert int(refused.headers["retry-after"]) > 0
        held.gate.set()
        for thread in (first, second):
            thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


def test_a_request_that_takes_too_long_is_stopped(serve, held):
    with serve(held, deadline_seconds=0.05) as (client, _):
        threading.Timer(0.3, held.gate.set).start()
        answer = client.post(SPEECH, json={**BODY, "response_format": "flac"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "deadline")
    assert held.stopped_after == [1], "it went on for more than a frame"


def test_requests_at_the_same_time_have_the_audio_of_each_alone(serve, tiny):
    bodies = [{**BODY, "seed": seed, "input": "one two three"[: 3 + seed]} for seed in range(12)]
    with serve(tiny, workers=3) as (client, _):
        alone = [client.post(SPEECH, json=body).content for body in bodies]
        found = [b""] * len(bodies)

        def ask(number):
            found[number] = client.post(SPEECH, json=bodies[number]).content

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(bodies))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == alone
    assert all(alone)


def test_what_was_accepted_is_spoken_before_the_end(tiny):
    """And nothing more is accepted."""
    held = Held(tiny)
    queue = SpeechQueue(held, workers=1, max_queue=4)

    async def scenario():
        job = queue.submit(Request("one", seed=1), seconds=60)
        closing = asyncio.create_task(asyncio.to_thread(queue.close))
        while not queue.draining:
            await asyncio.sleep(0.005)
        with pytest.raises(RequestError) as caught:
            queue.submit(Request("two", seed=1), seconds=60)
        assert caught.value.status == 503
        held.gate.set()
        await closing
        events = [job.events.get_nowait() for _ in range(job.events.qsize())]
        assert isinstance(events[-1], Result)

    asyncio.run(scenario())


def test_a_stopped_job_ends_within_a_frame(tiny):
    held = Held(tiny)
    queue = SpeechQueue(held, workers=1, max_queue=4)

    async def scenario():
        job = queue.submit(Request("one", seed=1), seconds=60)
        while not held.begun:
            await asyncio.sleep(0.005)
        job.stop()
        held.gate.set()
        await asyncio.to_thread(queue.close)

    asyncio.run(scenario())
    assert held.stopped_after == [1]


def test_a_body_that_is_too_large_is_refused(serve):
    with serve(max_body_bytes=100) as (client, _):
        answer = client.post(SPEECH, json={"input": "x" * 200})
        assert answer.status_code == 413


@pytest.fixture
def recording(tone):
    file = io.BytesIO()
    soundfile.write(file, tone.samples.T, tone.sample_rate, format="WAV")
    return file.getvalue()


def test_a_voice_is_added_with_consent_used_and_removed(client, recording):
    form = {"name": "me", "consent": "my own voice"}
    answer = client.post(VOICES, data=form, files={"audio_sample": ("a.wav", recording)})
    assert answer.status_code == 201, answer.text
    assert answer.json()["consent"] == "my own voice"
    listed = {voice["id"]: voice for voice in client.get(VOICES).json()["data"]}
    assert listed["me"]["origin"] == "yours"
    assert "path" not in listed["me"]
    assert client.post(SPEECH, json={**BODY, "voice": {"id": "me"}}).status_code == 200
    assert client.delete(f"{VOICES}/me").json()["deleted"]
    assert client.delete(f"{VOICES}/me").status_code == 404


def test_a_voice_may_be_sent_as_json(client, recording):
    audio = base64.b64encode(recording).decode()
    body = {"name": "me", "consent": "my own", "audio_sample": audio}
    assert client.post(VOICES, json=body).status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"consent": ""}, 400, "'consent' is missing"),
        ({"name": "../me"}, 400, "is not a name"),
        ({"name": "kathleen"}, 400, "kathleen"),
        ({"audio_sample": "AAAA"}, 400, "upload"),
        ({"audio_sample": "?"}, 400, "not base64"),
        ({"url": "http://localhost"}, 400, "unknown field 'url'"),
    ],
)
def test_a_voice_that_cannot_be_added_is_explained(client, recording, change, status, message):
    audio = base64.b64encode(recording).decode()
    body = {"name": "me", "consent": "my own", "audio_sample": audio, **change}
    answer = client.post(VOICES, json=body)
    assert (answer.status_code, message in answer.text) == (status, True), answer.text
    assert "me" not in [voice["id"] for voice in client.get(VOICES).json()["data"]]


def test_a_built_in_voice_stays(client):
    assert client.delete(f"{VOICES}/kathleen").status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("GET", SPEECH, 405)]
)
def test_other_paths_and_methods_have_the_form_of_all_errors(client, method, path, status):
    answer = client.request(method, path)
    assert (answer.status_code, "message" in answer.json()["error"]) == (status, True)


def test_metrics_count_answers_and_audio(client):
    client.post(SPEECH, json=BODY)
    client.post(SPEECH, json={})
    text = client.get("/metrics").text
    assert 'vall_e_requests_total{path="/v1/audio/speech",status="200"} 1.0' in text
    assert 'vall_e_requests_total{path="/v1/audio/speech",status="400"} 1.0' in text
    seconds = next(line for line in text.splitlines() if line.startswith("vall_e_audio_seconds_t"))
    assert float(seconds.split()[1]) > 0


def test_two_servers_in_one_process_do_not_share_metrics(serve, tiny):
    with serve(tiny) as (one, _), serve(tiny) as (other, _):
        one.post(SPEECH, json=BODY)
        assert "/v1/audio/speech" not in other.get("/metrics").text


def test_a_page_of_another_origin_is_let_in_only_if_it_is_named(serve, tiny):
    with serve(tiny, origins=("https://good.example",)) as (client, _):
        for origin, allowed in (("https://good.example", True), ("https://bad.example", False)):
            answer = client.get("/health", headers={"Origin": origin})
            assert ("access-control-allow-origin" in answer.headers) is allowed


def test_numpy_is_what_the_pcm_is(client):
    data = client.post(SPEECH, json=BODY)
    assert data.headers["content-type"].startswith("audio/pcm;rate=8000")
    assert np.frombuffer(data.content, "<i2").size > 0
