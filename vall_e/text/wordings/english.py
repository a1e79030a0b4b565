"""How English, American and British, is spoken."""

from __future__ import annotations

from attrs import evolve

from vall_e.text import arithmetic, roman
from vall_e.text.fractions import EnglishFractions, with_slashes
from vall_e.text.wordings.wording import SLASHED_DAY_FIRST, SLASHED_MONTH_FIRST, Wording

_ABBREVIATIONS = {
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

_SCALES = {
    **{word: (word, word) for word in ("thousand", "million", "billion", "trillion")},
    **dict.fromkeys(("k", "K"), ("thousand", "thousand")),
    **dict.fromkeys(("m", "M", "mn"), ("million", "million")),
    **dict.fromkeys(("b", "B", "bn"), ("billion", "billion")),
    **dict.fromkeys(("T", "tn"), ("trillion", "trillion")),
}

_TITLES = frozenset(
    {
        "Mr.", "Mrs.", "Ms.", "Messrs.", "Mmes.", "Dr.", "Drs.", "Prof.", "Rev.", "Fr.", "Hon.",
        "Gov.", "Sen.", "Rep.", "Pres.", "Gen.", "Col.", "Maj.", "Capt.", "Cpt.", "Lt.", "Sgt.",
        "Cpl.", "Pvt.", "Cmdr.", "Adm.", "Supt.", "Insp.", "Mt.", "Ft.", "vs.", "e.g.", "i.e.",
        "cf.", "viz.", "approx.", "vol.", "vols.", "ch.", "pp.",
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


def _prepare(text: str) -> str:
    return roman.with_figures(with_slashes(text))


ENGLISH = Wording(
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
    prepare=_prepare,
    fractions=EnglishFractions(),
    ordinals=(
        (rf"{_NO_PLACE}(?<![\d.,:/–-])\b(?P<n>[12]?[1-9]|[123]0|31)(?= MONTH\b)", "$", ""),
        (r"\b(?P<n>\d{1,3}(?:,\d{3})+|\d+)(?P<drop>st|nd|rd|th)\b", "$", ""),
        (r"\b(?:MONTH) (?P<n>\d{1,2})\b(?![:/.,]?\d)", "$", ""),
    ),
    decades=r"\b(?P<n>\d*0)s\b",
    dates=SLASHED_MONTH_FIRST,
    date="{month} {d}, {y}",
    scales=_SCALES,
    abbreviations=_ABBREVIATIONS,
    before_name=_TITLES,
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

BRITISH = evolve(ENGLISH, locale="en_GB", dates=SLASHED_DAY_FIRST)
