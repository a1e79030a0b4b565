"""How German is spoken."""

from __future__ import annotations

from vall_e.text.fractions import with_slashes
from vall_e.text.table_fractions import TableFractions
from vall_e.text.wordings.wording import CLOCK, DOTTED, Wording

_ABBREVIATIONS = {
    "Dr.": "Doktor", "Prof.": "Professor", "Hr.": "Herr", "Hrn.": "Herrn", "Fr.": "Frau",
    "St.": "Sankt", "Str.": "Straße", "z. B.": "zum Beispiel", "z.B.": "zum Beispiel",
    "d. h.": "das heißt", "d.h.": "das heißt", "u. a.": "unter anderem", "u.a.": "unter anderem",
    "usw.": "und so weiter", "bzw.": "beziehungsweise", "ca.": "circa", "vgl.": "vergleiche",
    "evtl.": "eventuell", "ggf.": "gegebenenfalls", "inkl.": "inklusive", "Nr.": "Nummer",
    "Tel.": "Telefon", "Abb.": "Abbildung", "Bd.": "Band", "Jh.": "Jahrhundert",
    "v. Chr.": "vor Christus", "n. Chr.": "nach Christus", "geb.": "geboren", "sog.": "sogenannte",
    "v.Chr.": "vor Christus", "n.Chr.": "nach Christus", "gest.": "gestorben",
    "etc.": "et cetera", "bspw.": "beispielsweise", "mind.": "mindestens", "max.": "maximal",
    "zzgl.": "zuzüglich", "abzgl.": "abzüglich", "exkl.": "exklusive", "gem.": "gemäß",
    "i. d. R.": "in der Regel", "i.d.R.": "in der Regel", "v. a.": "vor allem",
    "v.a.": "vor allem", "z. T.": "zum Teil", "z.T.": "zum Teil", "o. Ä.": "oder Ähnliches",
    "u. Ä.": "und Ähnliches", "u. U.": "unter Umständen", "s. o.": "siehe oben",
    "s. u.": "siehe unten",
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

_BEFORE_NUMBER = {
    "Nrn.": "Nummern", "Abs.": "Absatz", "Art.": "Artikel", "S.": "Seite", "Kap.": "Kapitel",
    "Tab.": "Tabelle", "Ziff.": "Ziffer", "Rn.": "Randnummer", "Hausnr.": "Hausnummer",
    "Jg.": "Jahrgang", "Kl.": "Klasse", "Zi.": "Zimmer", "Pos.": "Position", "Anm.": "Anmerkung",
    "Fig.": "Figur", "Vol.": "Volumen", "Anl.": "Anlage", "Gl.": "Gleichung", "Bde.": "Bände",
    "Ca.": "Circa", "Str.": "Straße",
}  # fmt: skip
_UNITS = {
    "Std": "duration-hour", "Stdn": "duration-hour", "Min": "duration-minute",
    "Sek": "duration-second", "Tg": "duration-day", "qm": "area-square-meter",
    "qkm": "area-square-kilometer", "Ltr": "volume-liter", "Pfd": "mass-pound",
}  # fmt: skip
_STARTERS = (
    r"(?:Der|Die|Das|Den|Dem|Des|Er|Sie|Es|Wir|Ihr|Ich|Du|Man|Ein|Eine|Einen|Einem|Einer|Und|Aber|"
    r"Oder|Doch|Dann|Danach|Da|Dort|Hier|Heute|Morgen|Gestern|Jetzt|Nun|Nur|Auch|Als|Wenn|Weil|"
    r"Während|Nach|Vor|Seit|Bei|Mit|Ohne|In|Im|Am|An|Auf|Aus|Zu|Zum|Zur|Von|Vom|Für|Über|Unter|So|"
    r"Was|Wer|Wie|Wo|Warum|Diese|Dieser|Dieses|Mein|Meine|Sein|Seine|Ihre|Unser|Unsere|Alle|Viele|"
    r"Jeder|Kein|Keine|Nicht|Ja|Nein|Trotzdem|Deshalb|Daher|Später|Zuerst|Damals)"
)
_DATIVE = "am|im|vom|zum|zur|beim|dem|den|des|diesem|diesen|jedem|jeden|einem|einen|einer"
_DAY = "(?:(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend)"
_NO_PLACE = "".join(
    rf"(?<!\b{name[:-1]}\. )" for name in (*_BEFORE_NUMBER, "Nr.", "Abb.", "Bd.", "Tel.", "ca.")
)
_DOTTED_NUMBERS = (
    rf"(?<![\w.,:]){_NO_PLACE}\d{{1,2}}\."
    rf"|\b(?i:{_DATIVE}|der|die|das|ein|eine|ins|seit|ab|bis|nach|vor|und|oder|[msd]ein\w*|ihr\w*|"
    r"uns(?:er|re)\w*) \d{1,4}\."
    rf"|\d\s?(?:{'|'.join(_UNITS)})\."
)
_FRACTIONS = TableFractions(
    one_and_more={
        2: ("halb", "halbe"), 3: ("Drittel", "Drittel"), 4: ("Viertel", "Viertel"),
        5: ("Fünftel", "Fünftel"), 6: ("Sechstel", "Sechstel"), 7: ("Siebtel", "Siebtel"),
        8: ("Achtel", "Achtel"), 9: ("Neuntel", "Neuntel"), 10: ("Zehntel", "Zehntel"),
        12: ("Zwölftel", "Zwölftel"), 16: ("Sechzehntel", "Sechzehntel"),
        20: ("Zwanzigstel", "Zwanzigstel"), 100: ("Hundertstel", "Hundertstel"),
    },
    one="ein",
    over="durch",
    of="von",
    place_words=("Seite", "Teil", "Schritt", "Folie", "Blatt", "Band", "Folge", "Runde", "Bild"),
    half=lambda unit: f"eine halbe {unit}" if unit in _FEMININE else f"ein halbes {unit}",
    part_of=lambda parts, unit: f"{parts} {unit}",
    after_whole=lambda whole, parts: (
        f"{whole.removesuffix('s') if whole == 'eins' else whole}einhalb"
        if parts == "ein halb"
        else f"{whole} {parts}"
    ),
)  # fmt: skip

GERMAN = Wording(
    locale="de",
    numbers="de",
    point="Komma",
    minus="minus",
    until="bis",
    joined="und",
    score="zu",
    power="hoch",
    until_before=r"\s?Uhr\b",
    after_time=r"(?:\s*Uhr\b)?",
    with_seconds="{h} {m} und {s}",
    prepare=with_slashes,
    fractions=_FRACTIONS,
    units=_UNITS,
    unit_stop=rf"(?:\.(?=,|\s+[a-zäöü\d]|\s+(?!{_STARTERS}\b)[A-ZÄÖÜ]))?",
    before_number=_BEFORE_NUMBER,
    unbroken=(r"& Co\. (?:KG|OHG|KGaA|GmbH)", r"\d\.\s?[-–]\s?\d{1,2}\."),
    dotted_numbers=_DOTTED_NUMBERS,
    starters=_STARTERS,
    lettered=("vitamin", "klasse", "plan", "gruppe", "typ", "teil", "hepatitis", "block", "note"),
    time="{h} Uhr {m}",
    full_hour="{h} Uhr",
    time_of_day=CLOCK + r"(?:\s*Uhr\b)?",
    times=((r"\beins Uhr", "ein Uhr"),),
    ordinals=(
        (r"\b(?P<n>\d{1,2})(?P<drop>\.)(?=\s(?:bis|und|oder) \d{1,2}\.\s?(?:MONTH))", "$", "n"),
        (
            rf"\b(?i:{_DATIVE}|ab|bis|seit|nach|vor|gegen|und|oder|am {_DAY},?) "
            r"(?P<n>\d{1,2})(?P<drop>\.)(?=\s?(?:MONTH))",
            "$",
            "n",
        ),
        (r"\b[dD]er (?P<n>\d{1,2})(?P<drop>\.)(?=\s?(?:MONTH))", "$", ""),
        (r"\b(?P<n>\d{1,2})(?P<drop>\.)(?=\s?(?:MONTH))", "$", "r"),
        (
            rf"\b(?i:{_DATIVE}|(?:in|mit|von|zu|nach|seit|aus|bei|auf|an) der) "
            r"(?P<n>\d{1,3})(?P<drop>\.)(?= [A-ZÄÖÜ])",
            "$",
            "n",
        ),
        (r"\b(?i:der|die|das|ins|eine) (?P<n>\d{1,3})(?P<drop>\.)(?= [A-ZÄÖÜ])", "$", ""),
        (r"\b(?i:am|vom|zum) (?P<n>\d{1,2})(?=\.$)", "$", "n"),
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
        (
            r"(?<![\d.])([01]?\d|2[0-3])\.([0-5]\d)"
            r"(?=(?:\s?(?:[-–]|bis|und)\s?(?:[01]?\d|2[0-3])[.:][0-5]\d)?\s?Uhr\b)",
            r"\1:\2",
        ),
        (r"(?<=\d\.)\s?[-–]\s?(?=\d{1,2}\.\s?(?:MONTH))", " bis "),
        (r"(?<=\bUhr)\s?[-–]\s?(?=\d)", " bis "),
        (r"(?<=\d):(?=\d(?!\d))", " zu "),
        (r"& Co\.(?=\s*(?:KG|OHG|KGaA|GmbH))", "und Co"),
        (r"(?<=[a-zäöü])str\.(?=\s+[\da-z]|,)", "straße"),
        (r"§\s?(?=\d)", "Paragraf "),
        (r"(?<![\w.,:])1(?=\sUhr\b)", "ein"),
        (r"(?<![\w.,])1(?=\s(?:Million|Milliarde)\b(?!\s?[$€£¥]))", "eine"),
        (r"(?<![\w.,])1 Mio\b(?!\.?\s?[$€£¥])\.?", "eine Million"),
        (r"(?<![\w.,])1 Mrd\b(?!\.?\s?[$€£¥])\.?", "eine Milliarde"),
        (r"(?<=\d )Mio\b(?!\.?\s?[$€£¥])\.?", "Millionen"),
        (r"(?<=\d )Mrd\b(?!\.?\s?[$€£¥])\.?", "Milliarden"),
    ),
)
