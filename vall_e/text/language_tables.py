"""What a language needs to have its numbers and abbreviations spoken, beside num2words and CLDR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import evolve, field, frozen

from vall_e.text import arithmetic, number_agreement, roman
from vall_e.text.fractions import EnglishFractions, with_slashes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Fractions(Protocol):
    """What is said for `above/below`; see `vall_e.text.fractions.EnglishFractions`."""

    def parts(self, count: str, above: int, below: int, *, after_whole: bool) -> str | None: ...

    def between(self, before: str, above: int, below: int, after: str) -> str | None: ...

    def of_unit(self, parts: str, unit: str, above: int, below: int, before: str) -> str: ...

    @property
    def units(self) -> Mapping[str, str]: ...


_NEVER = r"(?!)"
_SPACED = (
    r"(?<!\d)(?<!\d )(?![6-9]\d\d \d{3} \d{3}(?! ?\d))[1-9]\d{0,2}(?:[ \xa0\u202f]\d{3})+(?! ?\d)"
)
"""1 000 000, but 612 345 678 is a telephone number."""
_CLOCK = r"(?<![\d:])(?P<h>[01]?\d|2[0-3]):(?P<m>[0-5]\d)(?![\d:])"


@frozen
class Wording:
    """The few words of a language that no library has.

    In patterns, `MONTH` stands for any of the month names.
    """

    locale: str
    """Of babel: decimal sign, months, units."""
    numbers: str
    """Of num2words."""
    point: str
    """Between the whole number and the decimals."""
    minus: str
    until: str
    """Between the ends of a range: 1939-1945."""
    joined: str
    """Between dollars and cents."""
    time: str
    """With `{h}` and `{m}`."""
    full_hour: str
    """The time if there are no minutes to say."""
    thousands: str = _NEVER
    """Whole numbers with marks of thousands that CLDR does not have."""
    few_minutes: str = "{m}"
    """How minutes below ten are said."""
    time_of_day: str = _CLOCK
    """A time in figures, with groups `h` and `m`; not `3:2`, which is a score."""
    half_day: str = _NEVER
    """After the time, makes the words of the full hour superfluous."""
    times: tuple[tuple[str, str], ...] = ()
    """What is not as usual in a time that was written out: patterns, and what takes their place."""
    ordinals: tuple[tuple[str, str, str], ...] = ()
    """Where a number (group `n`) counts a place; group `drop` falls. Of its word, the pattern of
    endings to replace, and the new ending."""
    decades: str = _NEVER
    """A number (group `n`) of years: the 1990s."""
    dates: str = _NEVER
    """Dates in figures, with groups `d`, `m` and `y`, beside 2024-05-31, which is always one."""
    date: str = "{d} {month} {y}"
    units: Mapping[str, str] = field(factory=dict, eq=False)
    """What its units are called in CLDR, beside those of all languages."""
    prepare: Callable[[str], str] = str
    """Writes in figures what has numbers in another way, before anything else: ½, Henry VIII."""
    fractions: Fractions | None = None
    """Says `3/4`; without it, figures with a slash are left to the phonemizer."""
    scales: Mapping[str, tuple[str, str]] = field(factory=dict, eq=False)
    """Between an amount and its currency, as written, and as spoken of one and of many: $5M."""
    counted: Callable[[str, str], str] = number_agreement.plain
    """A number in words and the noun it counts, joined."""
    in_thousands: Callable[[str], str] = str
    """Mends the words of a number."""
    noun: Callable[[str], bool] = number_agreement.no_noun
    """Whether a word after a figure is a noun that it counts."""
    one: tuple[str, str] | None = None
    """Before a noun, masculine and feminine, if it differs from the 1 of counting."""
    feminine: frozenset[str] = frozenset()
    """The units and scales of that gender."""
    abbreviations: Mapping[str, str] = field(factory=dict, eq=False)
    """As written, dot included, and as spoken."""
    before_name: frozenset[str] = frozenset()
    """Abbreviations whose dot never ends a sentence, even if a capital follows."""
    in_context: tuple[tuple[str, str], ...] = ()
    """Patterns that are tried before the abbreviations, and what is said for them."""


_SLASHED_MONTH_FIRST = r"(?P<m>0?[1-9]|1[0-2])/(?P<d>0?[1-9]|[12]\d|3[01])/(?P<y>\d{4}|\d{2})"
_SLASHED_DAY_FIRST = r"(?P<d>0?[1-9]|[12]\d|3[01])/(?P<m>0?[1-9]|1[0-2])/(?P<y>\d{4}|\d{2})"
_DOTTED = r"(?P<d>0?[1-9]|[12]\d|3[01])\.\s?(?P<m>0?[1-9]|1[0-2])\.\s?(?P<y>\d{4}|\d{2})"

_EN_ABBREVIATIONS = {
    "Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miz", "Messrs.": "Messers", "Mmes.": "Mesdames",
    "Dr.": "Doctor", "Drs.": "Doctors", "Prof.": "Professor", "Rev.": "Reverend",
    "Fr.": "Father", "Hon.": "Honorable", "Gov.": "Governor", "Sen.": "Senator",
    "Rep.": "Representative", "Pres.": "President", "Gen.": "General", "Col.": "Colonel",
    "Maj.": "Major", "Capt.": "Captain", "Cpt.": "Captain", "Lt.": "Lieutenant",
    "Sgt.": "Sergeant", "Cpl.": "Corporal", "Pvt.": "Private", "Cmdr.": "Commander",
    "Adm.": "Admiral", "Supt.": "Superintendent", "Insp.": "Inspector", "Mt.": "Mount",
    "Ft.": "Fort", "Jr.": "Junior", "Sr.": "Senior", "Esq.": "Esquire", "Ave.": "Avenue",
    "Blvd.": "Boulevard", "Rd.": "Road", "Inc.": "Incorporated", "Ltd.": "Limited",
    "Co.": "Company", "Corp.": "Corporation", "Bros.": "Brothers", "Dept.": "Department",
    "Univ.": "University", "Assn.": "Association", "Gov't": "Government", "govt.": "government",
    "vs.": "versus", "etc.": "et cetera", "e.g.": "for example", "i.e.": "that is",
    "cf.": "compare", "viz.": "namely", "approx.": "approximately", "est.": "established",
    "vol.": "volume", "vols.": "volumes", "ch.": "chapter", "pp.": "pages", "ed.": "edition",
    "a.m.": "AM", "p.m.": "PM", "A.M.": "AM", "P.M.": "PM", "B.C.": "B C", "A.D.": "A D",
    "Tel.": "Telephone", "tel.": "telephone",
}  # fmt: skip
_DE_ABBREVIATIONS = {
    "Dr.": "Doktor", "Prof.": "Professor", "Hr.": "Herr", "Hrn.": "Herrn", "Fr.": "Frau",
    "St.": "Sankt", "Str.": "Straße", "z. B.": "zum Beispiel", "z.B.": "zum Beispiel",
    "d. h.": "das heißt", "d.h.": "das heißt", "u. a.": "unter anderem", "u.a.": "unter anderem",
    "usw.": "und so weiter", "bzw.": "beziehungsweise", "ca.": "circa", "vgl.": "vergleiche",
    "evtl.": "eventuell", "ggf.": "gegebenenfalls", "inkl.": "inklusive", "Nr.": "Nummer",
    "Tel.": "Telefon", "Abb.": "Abbildung", "Bd.": "Band", "Jh.": "Jahrhundert",
    "v. Chr.": "vor Christus", "n. Chr.": "nach Christus", "geb.": "geboren", "sog.": "sogenannte",
}  # fmt: skip
_FR_ABBREVIATIONS = {
    "M.": "Monsieur", "MM.": "Messieurs", "Mme": "Madame", "Mmes": "Mesdames",
    "Mlle": "Mademoiselle", "Dr": "Docteur", "St": "Saint", "Ste": "Sainte",
    "etc.": "et cetera", "p. ex.": "par exemple", "c.-à-d.": "c'est-à-dire", "av.": "avenue",
    "bd": "boulevard", "env.": "environ", "n°": "numéro", "N°": "Numéro",
    "apr. J.-C.": "après Jésus-Christ", "av. J.-C.": "avant Jésus-Christ",
}  # fmt: skip
_ES_ABBREVIATIONS = {
    "Sr.": "Señor", "Sra.": "Señora", "Srta.": "Señorita", "Dr.": "Doctor", "Dra.": "Doctora",
    "D.": "Don", "Dña.": "Doña", "Ud.": "usted", "Uds.": "ustedes", "EE. UU.": "Estados Unidos",
    "EE.UU.": "Estados Unidos", "etc.": "etcétera", "p. ej.": "por ejemplo",
    "aprox.": "aproximadamente",
    "Avda.": "Avenida", "núm.": "número", "pág.": "página", "a. C.": "antes de Cristo",
    "d. C.": "después de Cristo",
}  # fmt: skip

_EN_SCALES = {
    **{word: (word, word) for word in ("thousand", "million", "billion", "trillion")},
    **dict.fromkeys(("k", "K"), ("thousand", "thousand")),
    **dict.fromkeys(("m", "M", "mn"), ("million", "million")),
    **dict.fromkeys(("b", "B", "bn"), ("billion", "billion")),
    **dict.fromkeys(("T", "tn"), ("trillion", "trillion")),
}
_DE_SCALES = {
    "Tsd.": ("tausend", "tausend"),
    **dict.fromkeys(("Million", "Millionen", "Mio.", "Mio"), ("Million", "Millionen")),
    **dict.fromkeys(("Milliarde", "Milliarden", "Mrd.", "Mrd"), ("Milliarde", "Milliarden")),
}
_FR_SCALES = {
    "k": ("mille", "mille"),
    **dict.fromkeys(("million", "millions", "M"), ("million", "millions")),
    **dict.fromkeys(("milliard", "milliards", "Md", "Mds"), ("milliard", "milliards")),
}
_ES_SCALES = {
    "mil": ("mil", "mil"),
    **dict.fromkeys(("millón", "millones", "M"), ("millón", "millones")),
}
_EN_TITLES = frozenset(
    {
        "Mr.", "Mrs.", "Ms.", "Messrs.", "Mmes.", "Dr.", "Drs.", "Prof.", "Rev.", "Fr.", "Hon.",
        "Gov.", "Sen.", "Rep.", "Pres.", "Gen.", "Col.", "Maj.", "Capt.", "Cpt.", "Lt.", "Sgt.",
        "Cpl.", "Pvt.", "Cmdr.", "Adm.", "Supt.", "Insp.", "Mt.", "Ft.", "vs.", "e.g.", "i.e.",
        "cf.", "viz.", "approx.", "vol.", "vols.", "ch.", "pp.",
    }
)  # fmt: skip

_DE_FEMININE = frozenset(
    {
        "Million", "Milliarde", "Meile", "Unze", "Millisekunde", "Sekunde", "Minute", "Stunde",
        "Kilowattstunde",
    }
)  # fmt: skip


_NO_PLACE = "".join(
    f"(?<!(?i:{place}) )"
    for place in (
        "room", "flight", "chapter", "bus", "gate", "platform", "page", "line", "section", "unit",
        "apartment", "number", "table", "seat", "exit", "route", "highway", "channel", "level",
        "floor", "building", "house", "ward", "lane", "track", "grade", "class", "item", "step",
        "figure", "version", "suite", "box", "train", "question", "volume", "part",
    )
)  # fmt: skip
"""Not after these, whose numbers count no day: room 12 may be free."""


def _prepare_english(text: str) -> str:
    return roman.with_figures(with_slashes(text))


_ENGLISH = Wording(
    locale="en_US",
    numbers="en",
    point="point",
    minus="minus",
    until="to",
    joined="and",
    time="{h} {m}",
    full_hour="{h} o'clock",
    few_minutes="oh {m}",
    half_day=r"\s?[apAP]\.?\s?[mM]\b",
    times=((r"^(\w+teen|twenty(?:-\w+)?) o'clock$", r"\1 hundred"),),
    units=arithmetic.ENGLISH_UNITS,
    prepare=_prepare_english,
    fractions=EnglishFractions(),
    ordinals=(
        (rf"{_NO_PLACE}(?<![\d.,:/–-])\b(?P<n>[12]?[1-9]|[123]0|31)(?= MONTH\b)", "$", ""),
        (r"\b(?P<n>\d{1,3}(?:,\d{3})+|\d+)(?P<drop>st|nd|rd|th)\b", "$", ""),
        (r"\b(?:MONTH) (?P<n>\d{1,2})\b(?![:/.,]?\d)", "$", ""),
    ),
    decades=r"\b(?P<n>\d*0)s\b",
    dates=_SLASHED_MONTH_FIRST,
    date="{month} {d}, {y}",
    scales=_EN_SCALES,
    abbreviations=_EN_ABBREVIATIONS,
    before_name=_EN_TITLES,
    in_context=(
        *arithmetic.ENGLISH_SIGNS,
        (r"\bSt\.(?=\s+[A-Z])", "Saint"),
        (r"\bSt\.(?=\s+[a-z])", "Street"),
        (r"\bSt\.", "Street."),
        (r"\bNo\.(?=\s*\d)", "Number"),
        (r"\bno\.(?=\s*\d)", "number"),
        (r"\bNos\.(?=\s*\d)", "Numbers"),
        (r"\bp\.(?=\s*\d)", "page"),
        (r"#(?=\d)", "number "),
        (r"(?<![\d.,])1\s?¢", "1 cent"),
        (r"(?<=\d)\s?¢", " cents"),
        (r"\bSept\.(?=\s)", "September"),
    ),
)
_BRITISH = evolve(_ENGLISH, locale="en_GB", dates=_SLASHED_DAY_FIRST)
_GERMAN = Wording(
    locale="de",
    numbers="de",
    point="Komma",
    minus="minus",
    until="bis",
    joined="und",
    time="{h} Uhr {m}",
    full_hour="{h} Uhr",
    time_of_day=_CLOCK + r"(?:\s*Uhr\b)?",
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
    dates=_DOTTED,
    date="{d}. {month} {y}",
    scales=_DE_SCALES,
    one=("ein", "eine"),
    feminine=_DE_FEMININE,
    decades=r"\b(?P<n>\d*0)(?=ern?\b)",
    abbreviations=_DE_ABBREVIATIONS,
    before_name=frozenset(_DE_ABBREVIATIONS) - {"usw.", "Jh.", "v. Chr.", "n. Chr.", "Str."},
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
_FRENCH = Wording(
    locale="fr_FR",
    numbers="fr",
    point="virgule",
    minus="moins",
    until="à",
    joined="et",
    time="{h} heures {m}",
    full_hour="{h} heures",
    time_of_day=_CLOCK.replace(":(", r"\s?[:h]\s?(", 1),
    times=(
        (r"^(zéro) heures", r"\1 heure"),
        (r"^un heures", "une heure"),
        (r"^vingt et un heures", "vingt et une heures"),
    ),
    ordinals=(
        (r"\b(?P<n>1)(?= (?:MONTH)\b)", "$", ""),
        (r"\b(?P<n>1)(?P<drop>ères?|res?)\b", "er$", "ère"),
        (r"\b(?P<n>\d+)(?P<drop>ers?|ères?|res?|es?|èmes?)\b", "$", ""),
    ),
    counted=number_agreement.french,
    noun=number_agreement.french_noun,
    dates=_SLASHED_DAY_FIRST,
    scales=_FR_SCALES,
    one=("un", "une"),
    feminine=frozenset({"livre", "once", "milliseconde", "seconde", "minute", "heure"}),
    abbreviations=_FR_ABBREVIATIONS,
    before_name=frozenset(_FR_ABBREVIATIONS) - {"etc."},
    in_context=((r"(?<!\w)Me(?=\s+[A-ZÀ-ÖØ-Þ]\w)", "Maître"),),  # "Me voici" is no lawyer
)
_SPANISH = Wording(
    locale="es",
    numbers="es",
    thousands=_SPACED,
    point="coma",
    minus="menos",
    until="a",
    joined="con",
    time="{h} y {m}",
    full_hour="{h} en punto",
    times=((r"^((?:veinti)?)uno\b", r"\1una"),),
    ordinals=(
        (r"\b(?P<n>[13])(?P<drop>\.?º)(?= [a-zñ])", "o$", ""),
        (r"\b(?P<n>[13])(?P<drop>\.?er)\b", "o$", ""),
        (r"\b(?P<n>\d+)(?P<drop>\.?º)", "$", ""),
        (r"\b(?P<n>\d+)(?P<drop>\.?ª)", r"o\b", "a"),
    ),
    counted=number_agreement.spanish,
    in_thousands=number_agreement.spanish_thousands,
    noun=number_agreement.spanish_noun,
    dates=_SLASHED_DAY_FIRST,
    date="{d} de {month} de {y}",
    scales=_ES_SCALES,
    one=("un", "una"),
    feminine=frozenset({"libra", "onza", "milla", "hectárea", "hora"}),
    in_context=((r"(?<![\w.,])1(?=\s(?:millón|billón)\b(?!\s?[$€£¥]))", "un"),),
    abbreviations=_ES_ABBREVIATIONS,
    before_name=frozenset(_ES_ABBREVIATIONS) - {"etc.", "a. C.", "d. C.", "EE. UU.", "EE.UU."},
)

_BY_LANGUAGE = {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH}


def wording(language: str) -> Wording | None:
    """Of the language, whatever its region; none if only the phonemizer knows how it is spoken."""
    if language.startswith("en-gb"):
        return _BRITISH
    return _BY_LANGUAGE.get(language.partition("-")[0])


def never_ends_a_sentence(word: str) -> bool:
    """Whether this is an abbreviation, of any language known here, that a name follows."""
    return any(word in words.before_name for words in _BY_LANGUAGE.values())
