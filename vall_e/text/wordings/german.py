"""How German is spoken."""

from __future__ import annotations

from vall_e.text.wordings.wording import CLOCK, DOTTED, Wording

_ABBREVIATIONS = {
    "Dr.": "Doktor", "Prof.": "Professor", "Hr.": "Herr", "Hrn.": "Herrn", "Fr.": "Frau",
    "St.": "Sankt", "Str.": "Straße", "z. B.": "zum Beispiel", "z.B.": "zum Beispiel",
    "d. h.": "das heißt", "d.h.": "das heißt", "u. a.": "unter anderem", "u.a.": "unter anderem",
    "usw.": "und so weiter", "bzw.": "beziehungsweise", "ca.": "circa", "vgl.": "vergleiche",
    "evtl.": "eventuell", "ggf.": "gegebenenfalls", "inkl.": "inklusive", "Nr.": "Nummer",
    "Tel.": "Telefon", "Abb.": "Abbildung", "Bd.": "Band", "Jh.": "Jahrhundert",
    "v. Chr.": "vor Christus", "n. Chr.": "nach Christus", "geb.": "geboren", "sog.": "sogenannte",
}  # fmt: skip

_SCALES = {
    "Tsd.": ("tausend", "tausend"),
    **dict.fromkeys(("Million", "Millionen", "Mio.", "Mio"), ("Million", "Millionen")),
    **dict.fromkeys(("Milliarde", "Milliarden", "Mrd.", "Mrd"), ("Milliarde", "Milliarden")),
}

_FEMININE = frozenset(
    {
        "Million", "Milliarde", "Meile", "Unze", "Millisekunde", "Sekunde", "Minute", "Stunde",
        "Kilowattstunde",
    }
)  # fmt: skip

GERMAN = Wording(
    locale="de",
    numbers="de",
    point="Komma",
    minus="minus",
    until="bis",
    joined="und",
    time="{h} Uhr {m}",
    full_hour="{h} Uhr",
    time_of_day=CLOCK + r"(?:\s*Uhr\b)?",
    times=((r"\beins Uhr", "ein Uhr"),),
    ordinals=(
        (r"\b(?P<n>\d{1,2})(?P<drop>\.)(?=\s(?:bis|und|oder) \d{1,2}\.\s?(?:MONTH))", "$", "n"),
        (
            r"\b(?:am|vom|zum|dem|den|beim|ab|bis|und|oder) (?P<n>\d{1,2})(?P<drop>\.)"
            r"(?=\s?(?:MONTH))",
            "$",
            "n",
        ),
        (r"\b[dD]er (?P<n>\d{1,2})(?P<drop>\.)(?=\s?(?:MONTH))", "$", ""),
        (r"\b(?P<n>\d{1,2})(?P<drop>\.)(?=\s?(?:MONTH))", "$", "r"),
        (
            r"\b(?:am|[Ii]m|vom|zum|zur|dem|den|des|beim|einem|einen|einer|(?:[Ii]n|mit|von|zu|"
            r"nach|seit|aus|bei|auf|an) der) (?P<n>\d{1,3})(?P<drop>\.)(?= [A-ZÄÖÜ])",
            "$",
            "n",
        ),
        (r"\b(?:[dD](?:er|ie|as)|ins|eine) (?P<n>\d{1,3})(?P<drop>\.)(?= [A-ZÄÖÜ])", "$", ""),
        (r"\b(?:am|vom|zum) (?P<n>\d{1,2})(?=\.$)", "$", "n"),
    ),
    dates=DOTTED,
    date="{d}. {month} {y}",
    scales=_SCALES,
    one=("ein", "eine"),
    feminine=_FEMININE,
    decades=r"\b(?P<n>\d*0)(?=ern?\b)",
    abbreviations=_ABBREVIATIONS,
    before_name=frozenset(_ABBREVIATIONS) - {"usw.", "Jh.", "v. Chr.", "n. Chr.", "Str."},
    in_context=(
        (r"§\s?(?=\d)", "Paragraf "),
        (r"(?<![\w.,:])1(?=\sUhr\b)", "ein"),
        (r"(?<![\w.,])1(?=\s(?:Million|Milliarde)\b(?!\s?[$€£¥]))", "eine"),
        (r"(?<![\w.,])1 Mio\b(?!\.?\s?[$€£¥])\.?", "eine Million"),
        (r"(?<![\w.,])1 Mrd\b(?!\.?\s?[$€£¥])\.?", "eine Milliarde"),
        (r"(?<=\d )Mio\b(?!\.?\s?[$€£¥])\.?", "Millionen"),
        (r"(?<=\d )Mrd\b(?!\.?\s?[$€£¥])\.?", "Milliarden"),
    ),
)
