"""Take audio chunk by chunk, as a player or a server would.

    python examples/stream.py "One sentence. And another." | aplay

Raw samples go to stdout as wav; progress goes to stderr.
"""

import sys
from typing import BinaryIO

import vall_e
from vall_e.audio.wav_stream import WavStream


def main(synthesizer: vall_e.Synthesizer, text: str, out: BinaryIO) -> vall_e.Result:
    stream = synthesizer.stream(text)
    with WavStream(out, stream.sample_rate) as wav:
        for chunk in stream:
            wav.write(chunk.audio)
            print(f"sentence {chunk.sentence}: {chunk.seconds:.2f} s", file=sys.stderr)
    result = stream.result()
    print(f"first audio after {result.timings.first_audio_seconds:.2f} s", file=sys.stderr)
    return result


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(vall_e.load(), sys.argv[1], sys.stdout.buffer)
