"""How English, American and British, is spoken."""

from __future__ import annotations

import re

from attrs import evolve

from vall_e.text import arithmetic, roman
from vall_e.text.fractions import EnglishFractions, with_slashes
from vall_e.text.wordings.wording import (
    SLASHED_DAY_FIRST,
    SLASHED_MONTH_FIRST,
    Wording,
    with_capitals,
)

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

_NUMBERED = (
        "room", "flight", "chapter", "bus", "gate", "platform", "page", "line", "section", "unit",
        "apartment", "number", "table", "seat", "exit", "route", "highway", "channel", "level",
        "floor", "building", "house", "ward", "lane", "track", "grade", "class", "item", "step",
        "figure", "version", "suite", "box", "train", "question", "volume", "part",
)  # fmt: skip
"""Things whose numbers count no day and no points: room 12 may be free, Section 3-2."""
_NO_PLACE = "".join(f"(?<!(?i:{thing}) )" for thing in _NUMBERED)


_BEFORE_NUMBER = {
    **with_capitals(
        {
            "vol.": "volume", "vols.": "volumes", "ch.": "chapter", "pp.": "pages",
            "tel.": "telephone", "no.": "number", "nos.": "numbers", "approx.": "approximately",
            "fig.": "figure",
            "figs.": "figures", "eq.": "equation", "eqs.": "equations", "sec.": "section",
            "secs.": "sections", "sect.": "section", "para.": "paragraph", "paras.": "paragraphs",
            "chap.": "chapter", "chaps.": "chapters", "bk.": "book", "op.": "opus",
            "ext.": "extension", "apt.": "apartment", "rm.": "room", "bldg.": "building",
            "ver.": "version", "ca.": "circa",
        }
    ),
    "p.": "page", "c.": "circa", "v.": "version", "b.": "born", "d.": "died", "r.": "reigned",
    "ll.": "lines", "Art.": "Article", "Arts.": "Articles", "Tab.": "Table", "App.": "Appendix",
    "Ex.": "Example", "Pt.": "Part", "Ste.": "Suite",
}  # fmt: skip
_STARTERS = (
    "(?:He|She|It|They|We|You|I|The|This|That|There|Then|And|But|So|In|On|At|A|An|My|His|Her)"
)
_UNBROKEN = (
    r"\b(?:vs?)\.\s[A-Z]",  # Brown v. Board
    rf"\bSt\.\s(?!{_STARTERS}\b)[A-Z]",
    r"\b(?:Inc|Ltd|Co|Corp|Bros)\.\s(?:KG|LLC|LLP|PLC|GmbH|Inc|Ltd|LP|AG|SE|NV)\b",
)
_SHORT_ZONES = tuple(f"{zone}{time}T" for zone in "ECMP" for time in "SD")
_ZONES = (
    r"(?:(?:[ECMP][SD]?T|GMT|UTC|BST|IST|CES?T|JST|AE[SD]T|AKST|HST)\b|(?:Mon|Tues|Wednes|Thurs|"
    r"Fri|Satur|Sun)day|Eastern|Central|Mountain|Pacific|Greenwich)"
)
_LETTERED = (
    "vitamin", "vitamins", "grade", "plan", "type", "group", "section", "appendix", "hepatitis",
    "influenza", "class", "level", "row", "block", "gate", "terminal", "building", "unit", "side",
    "team", "option", "part", "exhibit", "schedule", "letter", "model", "category", "wing", "point",
    "apartment", "flat", "room", "column", "hall", "zone", "size", "answer", "variant",
)  # fmt: skip
_LETTER_PLACES = (
    rf"\b(?i:{'|'.join(_LETTERED)}) LETTER(?= \w)",
    r"\b[Aa]n LETTER(?= [a-z])",
    r"(?<=[a-z] )LETTER(?= (?:or|and|to|through|plus|minus|versus|vs\.?) [A-Z]\b(?!['’.]))",
    r"\b[B-Z] (?:or|and) LETTER(?= [a-z])",
    r"(?<=\b[B-HJ-Z] )LETTER(?= [a-z]| [A-Z]\b)",  # in a row of letters
    r"(?<=[^.!?…] )LETTER(?= [B-HJ-Z]\b(?!['’-]))",
)
"""Where the letter stands between words; espeak says its name before a mark and at the end."""


def _prepare(text: str) -> str:
    return roman.with_figures(with_slashes(text))


ENGLISH = Wording(
    locale="en_US",
    numbers="en",
    point="point",
    minus="minus",
    until="to",
    score="to",
    numbered=_NUMBERED,
    power="to the power of",
    powers={"2": "squared", "3": "cubed"},
    with_seconds="{time} and {s}",
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
        (r"\b(?P<n>\d{1,3}(?:,\d{3})+|\d+)(?P<drop>(?i:st|nd|rd|th))\b", "$", ""),
        (r"\b(?:MONTH) (?P<n>\d{1,2})\b(?![:/.,]?\d)", "$", ""),
    ),
    decades=r"\b(?P<n>\d*0)s\b",
    dates=SLASHED_MONTH_FIRST,
    date="{month} {d}, {y}",
    scales=_SCALES,
    abbreviations=_ABBREVIATIONS,
    before_name=_TITLES,
    before_number=_BEFORE_NUMBER,
    unbroken=_UNBROKEN,
    zones=_ZONES,
    short_days={"Tues": "Tuesday", "Thur": "Thursday", "Thurs": "Thursday"},
    letters={"A": "A-"},  # the hyphen is silent, and makes espeak say the name of the letter
    letter_places=_LETTER_PLACES,
    lettered=_LETTERED,
    measure_before_noun=True,
    in_context=(
        (r"(?<![\d.])(1[0-2]|[1-9])\.([0-5]\d)(?=\s?[apAP]\.?\s?[mM]\b)", r"\1:\2"),  # 2.15 pm
        (r"(?<=\d)([apAP]\.[mM]\.)", r" \1"),
        (r"(?<=\d)\s?[aA]\.[mM]\b(?!\.)", " AM"),
        (r"(?<=\d)\s?[pP]\.[mM]\b(?!\.)", " PM"),
        (r"(?<=\d [apAP]\.[mM]\.)(?=[a-zA-Z])", " "),
        *((rf"\b(?i:{re.escape('.'.join(zone))})\b\.?", zone) for zone in _SHORT_ZONES),
        (r"(?<=\d0s)\s?[-–]\s?(?=\d)", " to "),
        *arithmetic.ENGLISH_SIGNS,
        (r"(?:(?<=\b[AP]M)|(?<=\b[ap]\.m\.))\s?[-–]\s?(?=\d)", " to "),
        (rf"\bSt\.(?=\s+(?!{_STARTERS}\b)[A-Z])", "Saint"),
        (r"\bSt\.(?=\s+[a-z])", "Street"),
        (r"\bSt\.", "Street."),
        (r"#(?=\d)", "number "),
        (r"(?<![\d.,])1\s?¢", "1 cent"),
        (r"(?<=\d)\s?¢", " cents"),
        (r"\bSept\.(?=\s)", "September"),
    ),
)

BRITISH = evolve(ENGLISH, locale="en_GB", dates=SLASHED_DAY_FIRST)
