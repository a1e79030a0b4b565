import json
from collections import Counter
from pathlib import Path

import speakers
from speakers import invent, read_speakers, to_json

SHARES = {"espeak": 0.4, "flite": 0.4, "festival": 0.2}
SHIPPED = Path(speakers.__file__).with_name("speakers.json")


def test_the_same_seed_invents_the_same_speakers():
    assert invent(50, seed=3, shares=SHARES) == invent(50, seed=3, shares=SHARES)
    assert invent(50, seed=3, shares=SHARES) != invent(50, seed=4, shares=SHARES)


def test_more_speakers_leave_the_first_ones_as_they_are():
    assert invent(60, seed=0, shares=SHARES)[:10] == invent(10, seed=0, shares=SHARES)


def test_the_first_invented_speaker_is_always_this_one():
    first = invent(1, seed=0, shares={"flite": 1.0})[0]
    assert (first.id, first.voice, first.gender) == ("en_l000", "kal16", "male")
    assert round(first.warp, 4) == 0.9321
    assert round(first.f0, 4) == 1.1396


def test_engines_get_about_their_shares():
    counts = Counter(speaker.engine for speaker in invent(500, seed=0, shares=SHARES))
    assert abs(counts["espeak"] - 200) < 40
    assert abs(counts["festival"] - 100) < 30


def test_only_espeak_speaks_other_languages():
    speakers = invent(20, seed=0, language="de", shares=SHARES)
    assert {(speaker.engine, speaker.lang) for speaker in speakers} == {("espeak", "de")}


def test_a_long_throat_makes_a_low_voice():
    for speaker in invent(300, seed=1, shares={"flite": 1.0}):
        if speaker.voice == "slt" and speaker.warp < 0.9:
            assert speaker.gender == "male"
            assert speaker.f0 < 0.85


def test_an_invented_espeak_voice_sets_every_formant():
    variant = invent(1, seed=0, shares={"espeak": 1.0})[0].variant
    assert [line.split()[1] for line in variant.splitlines() if line.startswith("formant")] == [
        str(number) for number in range(9)
    ]


def test_speakers_survive_json(tmp_path):
    path = tmp_path / "speakers.json"
    who = invent(30, seed=0, shares=SHARES)
    path.write_text(json.dumps(to_json(who)))
    assert read_speakers(path) == who


def test_the_shipped_mix_uses_three_clear_voices_most():
    counts = Counter(speaker.id for speaker in read_speakers(SHIPPED))
    assert {name for name, count in counts.items() if count == 3} == {
        "en_l_slt", "en_l_rms", "en_l_awb",
    }  # fmt: skip
    assert len(counts) == 32
