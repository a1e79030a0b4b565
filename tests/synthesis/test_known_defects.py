"""What went wrong in the synthesis of the project that this one learnt from does not here."""

import json

import pytest
import torch
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.synthesis.load import LoadOptions, open_synthesizer
from vall_e_samplers import components as c

TEXT = "Hello there."


def codes(registry, weights, *overrides, seed=1):
    synthesizer = open_synthesizer(
        LoadOptions(model=weights, overrides=overrides, device="cpu"), registry
    )
    result = synthesizer.synthesize(TEXT, seed=seed)
    return torch.cat([torch.as_tensor(s.codes.values.astype(int)) for s in result.sentences], dim=1)


@pytest.mark.parametrize(
    ("plain", "changed", "level"),
    [
        ("sampling.ar=[greedy]", "sampling.ar=[{name: temperature, t: 50}]", 0),
        ("sampling.nar=[greedy]", "sampling.nar=[{name: temperature, t: 50}]", 1),
    ],
    ids=["ar", "nar"],
)
def test_samplers_that_are_asked_for_are_used(registry, weights, plain, changed, level):
    """There every flag of a sampler was dropped on the way, and later levels were always greedy."""
    fixed = "sampling.ar=[greedy]"
    before, after = (codes(registry, weights, fixed, option) for option in (plain, changed))
    frames = min(before.shape[1], after.shape[1])
    assert before[:level, :frames].equal(after[:level, :frames])
    assert not before[level].equal(after[level])


def test_a_seed_is_obeyed(registry, weights):
    first, same, other = (codes(registry, weights, seed=seed) for seed in (1, 1, 2))
    assert first.equal(same)
    assert not first.equal(other)


def test_the_stop_token_is_banned_where_it_is_to_be(registry):
    """There the condition was inverted, so nothing ever was."""
    ban = c.build_stop_ban(c.StopBanConfig(frames=3))
    logits = torch.zeros(2, 5)
    for frames in range(5):
        history = torch.zeros(2, frames, dtype=torch.long)
        banned = ban(history, logits).isneginf()
        assert not banned[:, :-1].any()
        assert banned[:, -1].all() == (frames < 3)


@pytest.mark.parametrize("build", [c.build_mirostat_v1, c.build_mirostat_v2])
def test_mirostat_starts_open_and_keeps_rows_apart(build):
    """There it started at twice its rate, almost greedily, with one state for the whole batch."""
    sampler = build(c.MirostatConfig(tau=5.0, eta=0.5))
    logits = torch.stack([torch.zeros(64), torch.arange(64.0)])
    generators = [torch.Generator().manual_seed(i) for i in range(2)]
    assert sampler.start == 10.0
    sampler.draw(torch.zeros(2, 0, dtype=torch.long), logits, generators)
    flat, sure = sampler.limit.tolist()
    assert flat < 10.0 < sure  # six bits were more than five, none are fewer


def test_entropix_draws_where_all_is_certain():
    """There a row of low entropy and low varentropy was an error."""
    logits = torch.full((1, 10), -50.0)
    logits[0, 3] = 50.0
    sampler = c.build_entropix(c.EntropixConfig())
    history = torch.zeros(1, 0, dtype=torch.long)
    assert sampler.draw(history, logits, [torch.Generator()]).tolist() == [3]


def test_no_line_is_written_over_another(registry, weights, tmp_path, monkeypatch):
    """There each line of a text went to the same file, so that the last one alone was left."""
    monkeypatch.chdir(tmp_path)
    app = App(environ={"VALL_E_HOME": str(tmp_path / "home")}, registry=registry)

    def run(*args):
        result = CliRunner().invoke(cli, [str(arg) for arg in args], obj=app)
        assert result.exit_code == 0, result.output

    run("synth", "Hello there.", "-m", weights, "--seed", 1, "-o", "one.wav")
    run("synth", "Hello there.\nHow are you?", "-m", weights, "--seed", 1, "-o", "two.wav")
    one, two = (Clip.read(tmp_path / f"{name}.wav").seconds for name in ("one", "two"))
    assert two > 1.5 * one
    jobs = [{"text": text, "output": f"{text}.wav"} for text in ("one two", "three four")]
    (tmp_path / "jobs.jsonl").write_text("".join(json.dumps(job) + "\n" for job in jobs))
    run("synth", "--batch", "jobs.jsonl", "-m", weights, "-o", tmp_path)
    assert all(Clip.read(tmp_path / job["output"]).seconds > 0 for job in jobs)
