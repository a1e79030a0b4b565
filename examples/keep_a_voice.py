"""Make a voice from a recording once, keep it as a small file, and use it often.

    python examples/keep_a_voice.py me.wav me.voice.safetensors

Only use the voice of somebody who has agreed to it: the file has a place for that note.
"""

import sys
from pathlib import Path

import vall_e


def main(synthesizer: vall_e.Synthesizer, recording: str, path: str) -> list[vall_e.Result]:
    voice = synthesizer.voice(Path(recording), consent="my own voice")
    voice.save(Path(path))

    kept = vall_e.Voice.load(Path(path))
    jobs = [vall_e.Request(text, voice=kept) for text in ("Good morning.", "Good night.")]
    results = []
    for number, result in enumerate(synthesizer.synthesize_batch(jobs), 1):
        if isinstance(result, vall_e.VallEError):
            raise result
        result.save(Path(path).with_name(f"{number}.wav"))
        results.append(result)
    return results


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(vall_e.load(), *sys.argv[1:])
