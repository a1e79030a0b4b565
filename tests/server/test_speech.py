"""`POST /v1/audio/speech` and its batches, by plain HTTP and by OpenAI's client."""

import base64
import io
import json

import numpy as np
import openai
import pytest
import soundfile

SPEECH = "/v1/audio/speech"


def spoken(client, **body):
    answer = client.post(SPEECH, json={"input": "one two", "seed": 3, **body})
    assert answer.status_code == 200, answer.text
    return answer


def samples(data):
    return soundfile.read(io.BytesIO(data), dtype="int16")[0]


@pytest.fixture
def official(client):
    return openai.OpenAI(base_url=f"{client.base_url}/v1", api_key="none", http_client=client)


@pytest.mark.parametrize("format_", ["wav", "flac", "ogg", "opus", "mp3"])
def test_a_file_has_the_format_and_says_how_it_was_made(client, format_):
    answer = spoken(client, response_format=format_)
    found = soundfile.SoundFile(io.BytesIO(answer.content))
    assert found.frames > 0
    assert "vall-e" in f"{found.comment} {found.software}"
    assert answer.headers["x-seed"] == "3"
    assert answer.headers["x-model"] == "tiny"
    if format_ != "wav":  # which is sent while it is spoken
        seconds = found.frames / found.samplerate
        assert float(answer.headers["x-seconds"]) == pytest.approx(seconds, abs=0.1)
        assert len(answer.headers["x-provenance-id"]) == 32


def test_the_audio_is_that_of_python_with_the_same_seed(serve, tiny):
    with serve(tiny) as (client, _):
        streamed = spoken(client, response_format="pcm", voice="kathleen").content
    expected = tiny.synthesize("one two", seed=3, voice="kathleen").audio
    found = np.frombuffer(streamed, "<i2") / 32768
    np.testing.assert_allclose(found, np.clip(expected, -1, 32767 / 32768), atol=1e-4)


def test_streams_and_files_have_the_same_samples(client):
    wav = samples(spoken(client, response_format="wav").content)
    pcm = np.frombuffer(spoken(client, response_format="pcm").content, "<i2")
    np.testing.assert_array_equal(wav, pcm)


def test_without_a_seed_one_is_drawn_and_stated(client):
    answer = client.post(SPEECH, json={"input": "one", "response_format": "wav"})
    again = spoken(client, input="one", seed=int(answer.headers["x-seed"]), response_format="wav")
    np.testing.assert_array_equal(samples(answer.content), samples(again.content))


@pytest.mark.parametrize("format_", ["pcm", "wav"])
def test_server_sent_events_carry_the_audio_and_the_usage(client, format_):
    answer = spoken(client, stream_format="sse", response_format=format_)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line]
    *deltas, done = events
    assert {event["type"] for event in deltas} == {"speech.audio.delta"}
    assert done["type"] == "speech.audio.done"
    assert done["usage"]["input_tokens"] == len("one two")
    audio = b"".join(base64.b64decode(event["audio"]) for event in deltas)
    whole = spoken(client, response_format="pcm").content
    found = np.frombuffer(audio, "<i2") if format_ == "pcm" else samples(audio)
    np.testing.assert_array_equal(found, np.frombuffer(whole, "<i2"))


@pytest.mark.parametrize(
    ("body", "status", "param", "message"),
    [
        ({}, 400, "input", "'input' is missing"),
        ({"input": ""}, 400, "input", "the input is empty"),
        ({"input": "x" * 5000}, 400, "input", "has 5000 characters, at most 4096"),
        ({"input": 3}, 400, "input", "'input' must be str, not 3"),
        ({"input": "a", "voice": "../../etc/passwd"}, 400, "voice", "there is no voice"),
        ({"input": "a", "voice": {"name": "x"}}, 400, "voice", "{id: NAME}"),
        ({"input": "a", "model": "gpt"}, 404, "model", "there is no model 'gpt'"),
        ({"input": "a", "instructions": "sing"}, 400, "instructions", "takes no instructions"),
        ({"input": "a", "response_format": "aac"}, 400, "response_format", "'aac' cannot be"),
        ({"input": "a", "stream_format": "x"}, 400, "stream_format", "audio or sse"),
        ({"input": "a", "sped": 1}, 400, "sped", "unknown field 'sped'"),
        ({"input": "a", "seed": -1}, 400, None, "a seed must be a whole number"),
        ({"input": "a", "seed": True}, 400, "seed", "'seed' must be int"),
        ({"input": "a", "speed": 99}, 400, None, "speed"),
        ({"input": "a", "language": "tlh"}, 400, None, "tlh"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(client, body, status, param, message):
    answer = client.post(SPEECH, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, param)
    assert message in error["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"input": NaN}', b"\xff", b"[" * 5000])
def test_a_body_that_is_not_an_object_of_json_is_refused(client, body):
    answer = client.post(SPEECH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_an_item_of_a_batch_fails_alone(client):
    items = [{"input": "one", "seed": 1, "response_format": "wav"}, {"input": ""}]
    answer = client.post(f"{SPEECH}/batch", json={"items": items})
    good, bad = answer.json()["data"]
    assert (good["status"], bad["status"]) == (200, 400)
    alone = spoken(client, input="one", seed=1, response_format="wav").content
    np.testing.assert_array_equal(samples(base64.b64decode(good["audio"])), samples(alone))
    assert bad["error"]["param"] == "input"


@pytest.mark.parametrize("items", [None, [], [{}] * 33])
def test_a_batch_has_a_limited_number_of_items(client, items):
    assert client.post(f"{SPEECH}/batch", json={"items": items}).status_code == 400


def test_the_client_of_openai_speaks(official, client):
    answer = official.audio.speech.create(
        model="tiny", voice="kathleen", input="one two", response_format="wav",
        extra_body={"seed": 3},
    )  # fmt: skip
    expected = spoken(client, voice="kathleen", response_format="wav").content
    np.testing.assert_array_equal(samples(answer.content), samples(expected))


def test_the_client_of_openai_reads_a_stream(official, client):
    with official.audio.speech.with_streaming_response.create(
        model="tiny", voice="kathleen", input="one two", response_format="pcm",
        extra_body={"seed": 3},
    ) as answer:  # fmt: skip
        found = b"".join(answer.iter_bytes())
    assert found == spoken(client, voice="kathleen", response_format="pcm").content


def test_the_client_of_openai_gets_its_own_errors(official):
    with pytest.raises(openai.BadRequestError, match="there is no voice 'nobody'"):
        official.audio.speech.create(model="tiny", voice="nobody", input="one")
    assert [model.id for model in official.models.list()] == ["tiny"]
