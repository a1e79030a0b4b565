"""LoRAs of a synthesizer, loaded and switched while it runs."""

import pytest
import torch
from attrs import evolve
from click.testing import CliRunner
from safetensors.torch import load_file
from torch import nn

from vall_e.cli.app import App, cli
from vall_e.errors import CheckpointError, ConfigError
from vall_e.export.formats.lora import LoraExporter
from vall_e.model.lora import Terms, adapters, attach, places
from vall_e.synthesis.load import LoadOptions, open_synthesizer
from vall_e.synthesis.loras import with_strength
from vall_e.testing import ExporterContract
from vall_e.weights.file import load, save

TEXT = "Hello there."


def give_lora(bundle, seed=0, **terms):
    """As training would leave it, saying something else."""
    torch.manual_seed(seed)
    attach(bundle.model, places(bundle.model), Terms(4, 8.0, **terms))
    for adapter in adapters(bundle.model).values():
        nn.init.normal_(adapter.lora_b, std=0.5)
    return bundle


class TestLora(ExporterContract):
    @pytest.fixture
    def bundle(self, registry, weights):
        return give_lora(load(weights, registry))

    def make(self):
        return LoraExporter()


@pytest.fixture
def me(registry, weights, tmp_path):
    """The file of a LoRA."""
    path = tmp_path / "me.lora.safetensors"
    LoraExporter()(give_lora(load(weights, registry)), path)
    return path


@pytest.fixture
def run(registry, weights, tmp_path):
    """A checkpoint of a training run with a LoRA."""
    path = tmp_path / "run.safetensors"
    save(give_lora(load(weights, registry)), path)
    return path


def codes(synthesizer):
    result = synthesizer.synthesize(TEXT, seed=1)
    return torch.cat([torch.as_tensor(s.codes.values.astype(int)) for s in result.sentences], dim=1)


def hidden(synthesizer):
    vectors = torch.randn(1, 5, 32, generator=torch.Generator().manual_seed(0))
    positions = torch.arange(5)[None]
    with torch.no_grad():
        return synthesizer.model.backbone(
            vectors, lengths=torch.tensor([5]), positions=positions, causal=True
        )[0]


@pytest.fixture
def opened(registry, weights):
    return lambda path=weights: open_synthesizer(LoadOptions(model=path, device="cpu"), registry)


@pytest.mark.parametrize(("levels", "files"), [((0,), {"model", "nar"}), ((), {"model"})])
def test_a_lora_of_level_0_keeps_the_file_of_the_later_levels(
    registry, weights, tmp_path, levels, files
):
    bundle = load(weights, registry)
    synthesis = evolve(bundle.config.synthesis, nar="later.safetensors")
    model, lora = tmp_path / "model.safetensors", tmp_path / "me.lora.safetensors"
    save(bundle, tmp_path / "later.safetensors")
    save(evolve(bundle, config=evolve(bundle.config, synthesis=synthesis)), model)
    LoraExporter()(give_lora(load(weights, registry), levels=levels), lora)
    options = LoadOptions(model=model, loras=[f"{lora}:0.5"], device="cpu")
    found = open_synthesizer(options, registry)
    assert {"model", "nar"} & found.provenance.keys() == files


def test_a_lora_is_switched_on_and_off(opened, me):
    synthesizer = opened()
    before, silent = codes(synthesizer), hidden(synthesizer)
    assert synthesizer.loras.add(me) == "me"
    assert dict(synthesizer.loras) == {"me": 1.0}
    strong = hidden(synthesizer)
    assert not torch.allclose(strong, silent, atol=1e-2)
    synthesizer.loras["me"] = 0.5
    assert not torch.allclose(hidden(synthesizer), strong, atol=1e-2)
    synthesizer.loras["me"] = 0
    assert torch.equal(codes(synthesizer), before)
    synthesizer.loras["me"] = 1
    assert torch.equal(hidden(synthesizer), strong)
    synthesizer.loras.remove("me")
    assert torch.equal(hidden(synthesizer), silent)
    assert not synthesizer.loras


def test_a_lora_speaks_as_its_checkpoint_does(opened, me, run):
    synthesizer = opened()
    synthesizer.loras.add(me)
    trained = opened(run)
    assert dict(trained.loras) == {"trained": 1.0}
    assert torch.equal(codes(synthesizer), codes(trained))
    assert torch.equal(hidden(synthesizer), hidden(trained))


def test_merging_changes_no_more_than_rounding(opened, me):
    synthesizer = opened()
    synthesizer.loras.add(me, strength=0.7)
    synthesizer.loras.add(me, name="again", strength=-0.3)
    before = hidden(synthesizer)
    synthesizer.loras.merge()
    assert not synthesizer.loras
    torch.testing.assert_close(hidden(synthesizer), before, rtol=1e-5, atol=1e-5)
    assert [told["name"] for told in synthesizer.loras.provenance()] == ["me", "again"]
    assert synthesizer.loras.add(me) == "me"  # the base that it was trained on counts


def test_another_base_is_refused(opened, registry, weights, me, tmp_path):
    bundle = load(weights, registry)
    bundle.model.embedding.separator.data[0] += 1
    save(bundle, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="was trained on another base"):
        opened(tmp_path / "other.safetensors").loras.add(me)


def test_names_and_strengths_are_checked(opened, me):
    synthesizer = opened()
    synthesizer.loras.add(me)
    with pytest.raises(CheckpointError, match="there is a LoRA 'me' already"):
        synthesizer.loras.add(me)
    with pytest.raises(CheckpointError, match="there is no LoRA 'you'"):
        synthesizer.loras.remove("you")
    with pytest.raises(ConfigError, match="must be a finite number"):
        synthesizer.loras["me"] = float("nan")


def test_a_lora_is_not_a_model(opened, me):
    with pytest.raises(CheckpointError, match="is a LoRA, not a whole model"):
        opened(me)


def test_results_tell_of_the_loras_that_spoke(opened, me):
    synthesizer = opened()
    assert "loras" not in synthesizer.synthesize(TEXT, seed=1).provenance
    synthesizer.loras.add(me, strength=0.5)
    [told] = synthesizer.synthesize(TEXT, seed=1).provenance["loras"]
    assert (told["name"], told["strength"], len(told["sha256"])) == ("me", 0.5, 64)


@pytest.mark.parametrize(
    ("text", "path", "strength"),
    [("me", "me", 1), ("a/me:0.5", "a/me", 0.5), ("C:/me", "C:/me", 1), ("me:-1", "me", -1)],
)
def test_a_strength_follows_the_file(text, path, strength):
    assert tuple(map(str, with_strength(text))) == (path, str(float(strength)))


@pytest.fixture
def vall_e(registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = App(environ={"VALL_E_HOME": str(tmp_path / "home")}, registry=registry)
    return lambda *args: CliRunner().invoke(cli, [str(arg) for arg in args], obj=app)


def test_a_run_is_exported_as_a_small_file_and_spoken_with(vall_e, run, weights, tmp_path):
    result = vall_e("export", run, "-o", "mine.lora.safetensors")
    assert result.exit_code == 0, result.output
    small = tmp_path / "mine.lora.safetensors"
    assert all(name.endswith(("lora_a", "lora_b")) for name in load_file(small))
    result = vall_e(
        "synth", TEXT, "-m", weights, "--lora", small, "--lora", f"{run.parent}/x:0", "-o", "x.wav"
    )
    assert result.exit_code == 7
    assert "there is no LoRA" in result.stderr
    result = vall_e("synth", TEXT, "-m", weights, "--lora", f"{small}:0.5", "-o", "x.wav")
    assert result.exit_code == 0, result.output


def test_a_run_is_exported_merged(vall_e, run, opened, tmp_path):
    result = vall_e("export", run, "--merge", "-o", "merged.safetensors")
    assert result.exit_code == 0, result.output
    merged = opened(tmp_path / "merged.safetensors")
    assert not merged.loras
    torch.testing.assert_close(hidden(merged), hidden(opened(run)), rtol=1e-5, atol=1e-5)


def test_formats_without_a_place_for_a_lora_are_reported(vall_e, run, weights):
    result = vall_e("export", run, "--to", "torch", "-o", "x.pt")
    assert result.exit_code == 7
    assert "which this format does not support" in result.stderr
    result = vall_e("export", weights, "--merge", "-o", "x.safetensors")
    assert result.exit_code == 7
    assert "has no LoRA to merge" in result.stderr
