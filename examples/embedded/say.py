"""Say a list of sentences in some voices, and write the list that judge.py reads.

python say.py harvard.txt --voice kathleen --voice anna.wav --output spoken
"""

from __future__ import annotations

from pathlib import Path

import click

import vall_e
from vall_e.errors import VallEError

COLUMNS = "path\ttext\treference\tspeaker\n"


@click.command()
@click.argument("sentences", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--voice", "voices", multiple=True, required=True, help="A name or a recording.")
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("-m", "--model", type=Path, help="Weights. Default: the embedded model.")
@click.option("--count", type=click.IntRange(1), help="Only the first so many sentences.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same audio.")
def main(
    sentences: Path,
    voices: tuple[str, ...],
    output: Path,
    model: Path | None,
    count: int | None,
    seed: int,
) -> None:
    """Say every sentence of SENTENCES (one a line) in every voice."""
    texts = [line.strip() for line in sentences.read_text(encoding="utf-8").splitlines()]
    texts = [text for text in texts if text][:count]
    output.mkdir(parents=True, exist_ok=True)
    try:
        synthesizer = vall_e.load(model)
        with (output / "list.tsv").open("w", encoding="utf-8") as table:
            table.write(COLUMNS)
            for name in voices:
                reference = Path(name)
                if not reference.is_file():
                    reference = synthesizer.voices.get(name).path
                voice = synthesizer.voice(name)
                for number, text in enumerate(texts):
                    result = synthesizer.synthesize(text, voice=voice, seed=seed + number)
                    path = output / f"{reference.stem}_{number:03d}.wav"
                    result.save(path)
                    table.write(f"{path.name}\t{text}\t{reference.resolve()}\t{reference.stem}\n")
                    click.echo(f"{path}: {result.seconds:.2f} s, RTF {result.rtf:.2f}", err=True)
    except VallEError as exc:
        raise click.ClickException("\nHint: ".join(filter(None, (exc.message, exc.hint)))) from exc


if __name__ == "__main__":
    main()
