"""How French is spoken."""

from __future__ import annotations

from vall_e.text import number_agreement
from vall_e.text.fractions import with_slashes
from vall_e.text.table_fractions import TableFractions
from vall_e.text.wordings.wording import CLOCK, SLASHED_DAY_FIRST, Wording, with_capitals

_ABBREVIATIONS = {
    "M.": "Monsieur", "MM.": "Messieurs", "Mme": "Madame", "Mmes": "Mesdames",
    "Mlle": "Mademoiselle", "Dr": "Docteur", "St": "Saint", "Ste": "Sainte",
    "etc.": "et cetera", "p. ex.": "par exemple", "c.-à-d.": "c'est-à-dire", "av.": "avenue",
    "bd": "boulevard", "env.": "environ", "n°": "numéro", "N°": "Numéro",
    "apr. J.-C.": "après Jésus-Christ", "av. J.-C.": "avant Jésus-Christ",
    "max.": "maximum", "min.": "minimum", "cf.": "confer", "Cie": "Compagnie", "Pr": "Professeur",
}  # fmt: skip

_SCALES = {
    "k": ("mille", "mille"),
    **dict.fromkeys(("million", "millions", "M"), ("million", "millions")),
    **dict.fromkeys(("milliard", "milliards", "Md", "Mds"), ("milliard", "milliards")),
}

_BEFORE_NUMBER = {
    **with_capitals(
        {
            "art.": "article", "chap.": "chapitre", "fig.": "figure", "vol.": "volume",
            "tél.": "téléphone", "tel.": "téléphone", "no.": "numéro", "éd.": "édition",
            "pp.": "pages", "env.": "environ", "al.": "alinéa", "parag.": "paragraphe",
            "app.": "appartement", "tab.": "tableau", "éq.": "équation", "nos.": "numéros",
        }
    ),
    "p.": "page", "n.": "numéro", "t.": "tome", "v.": "vers", "c.": "circa",
}  # fmt: skip
_FEMININE = frozenset({"livre", "once", "milliseconde", "seconde", "minute", "heure"})
_FRACTIONS = TableFractions(
    one_and_more={
        2: ("demi", "demis"), 3: ("tiers", "tiers"), 4: ("quart", "quarts"),
        5: ("cinquième", "cinquièmes"), 6: ("sixième", "sixièmes"), 7: ("septième", "septièmes"),
        8: ("huitième", "huitièmes"), 9: ("neuvième", "neuvièmes"), 10: ("dixième", "dixièmes"),
        12: ("douzième", "douzièmes"), 16: ("seizième", "seizièmes"),
        20: ("vingtième", "vingtièmes"), 100: ("centième", "centièmes"),
    },
    one="un",
    over="sur",
    of="sur",
    place_words=("page", "partie", "étape", "épisode", "tome", "volume", "diapositive", "note"),
    half=lambda unit: f"{'une' if unit in _FEMININE else 'un'} demi-{unit}",
    part_of=lambda parts, unit: number_agreement.french_of(parts, unit),
    after_whole=lambda whole, parts: f"{whole} et {parts.replace('un demi', 'demi')}",
)  # fmt: skip

FRENCH = Wording(
    locale="fr_FR",
    numbers="fr",
    point="virgule",
    minus="moins",
    until="à",
    joined="et",
    score="à",
    power="puissance",
    powers={"2": "au carré", "3": "au cube"},
    until_before=r"\s?(?:h\b|heures)",
    with_seconds="{time} et {s}",
    prepare=with_slashes,
    fractions=_FRACTIONS,
    before_number=_BEFORE_NUMBER,
    letters={"Y": "i grec"},
    lettered=("vitamine", "plan", "groupe", "classe", "type", "hépatite", "bloc", "porte"),
    time="{h} heures {m}",
    full_hour="{h} heures",
    time_of_day=CLOCK.replace(":(", r"\s?[:h]\s?(", 1),
    times=(
        (r"^(zéro) heures", r"\1 heure"),
        (r"^un heures", "une heure"),
        (r"^vingt et un heures", "vingt et une heures"),
    ),
    ordinals=(
        (r"\b(?P<n>1)(?= (?:MONTH)\b)", "$", ""),
        (r"\b(?P<n>1)(?P<drop>(?i:ères?|res?))\b", "er$", "ère"),
        (r"\b(?P<n>\d+)(?P<drop>(?i:ers?|ères?|res?|es?|èmes?))\b", "$", ""),
    ),
    counted=number_agreement.french,
    noun=number_agreement.french_noun,
    dates=SLASHED_DAY_FIRST,
    scales=_SCALES,
    one=("un", "une"),
    feminine=_FEMININE,
    abbreviations=_ABBREVIATIONS,
    before_name=frozenset(_ABBREVIATIONS) - {"etc."},
    in_context=(
        (r"(?<!\w)Me(?=\s+[A-ZÀ-ÖØ-Þ]\w)", "Maître"),  # "Me voici" is no lawyer
        (r"(?:(?<=\dh)|(?<=h\d\d)|(?<=\d\sh))\s?[-–]\s?(?=\d{1,2}\s?h)", " à "),
        (r"(?<=\d):(?=\d(?!\d))", " à "),
    ),
)
