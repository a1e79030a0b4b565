"""Say a text, print the seed, and say the same again.

python examples/speak.py "Hello there." hello.wav
"""

import sys

import vall_e


def main(synthesizer: vall_e.Synthesizer, text: str, path: str) -> None:
    result = synthesizer.synthesize(text)
    result.save(path)
    print(f"{path}: {result.seconds:.2f} s, seed {result.seed}, RTF {result.rtf:.2f}")
    for warning in result.warnings:
        print(f"warning: {warning}")

    again = synthesizer.synthesize(text, seed=result.seed)
    print("the same samples again:", (again.audio == result.audio).all())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(vall_e.load(), *sys.argv[1:])
