"""How French is spoken."""

from __future__ import annotations

from vall_e.text import number_agreement
from vall_e.text.wordings.wording import CLOCK, SLASHED_DAY_FIRST, Wording

_ABBREVIATIONS = {
    "M.": "Monsieur", "MM.": "Messieurs", "Mme": "Madame", "Mmes": "Mesdames",
    "Mlle": "Mademoiselle", "Dr": "Docteur", "St": "Saint", "Ste": "Sainte",
    "etc.": "et cetera", "p. ex.": "par exemple", "c.-à-d.": "c'est-à-dire", "av.": "avenue",
    "bd": "boulevard", "env.": "environ", "n°": "numéro", "N°": "Numéro",
    "apr. J.-C.": "après Jésus-Christ", "av. J.-C.": "avant Jésus-Christ",
}  # fmt: skip

_SCALES = {
    "k": ("mille", "mille"),
    **dict.fromkeys(("million", "millions", "M"), ("million", "millions")),
    **dict.fromkeys(("milliard", "milliards", "Md", "Mds"), ("milliard", "milliards")),
}

FRENCH = Wording(
    locale="fr_FR",
    numbers="fr",
    point="virgule",
    minus="moins",
    until="à",
    joined="et",
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
        (r"\b(?P<n>1)(?P<drop>ères?|res?)\b", "er$", "ère"),
        (r"\b(?P<n>\d+)(?P<drop>ers?|ères?|res?|es?|èmes?)\b", "$", ""),
    ),
    counted=number_agreement.french,
    noun=number_agreement.french_noun,
    dates=SLASHED_DAY_FIRST,
    scales=_SCALES,
    one=("un", "une"),
    feminine=frozenset({"livre", "once", "milliseconde", "seconde", "minute", "heure"}),
    abbreviations=_ABBREVIATIONS,
    before_name=frozenset(_ABBREVIATIONS) - {"etc."},
    in_context=((r"(?<!\w)Me(?=\s+[A-ZÀ-ÖØ-Þ]\w)", "Maître"),),  # "Me voici" is no lawyer
)
