"""How Spanish is spoken."""

from __future__ import annotations

from vall_e.text import number_agreement
from vall_e.text.wordings.wording import SLASHED_DAY_FIRST, SPACED, Wording

_ABBREVIATIONS = {
    "Sr.": "Señor", "Sra.": "Señora", "Srta.": "Señorita", "Dr.": "Doctor", "Dra.": "Doctora",
    "D.": "Don", "Dña.": "Doña", "Ud.": "usted", "Uds.": "ustedes", "EE. UU.": "Estados Unidos",
    "EE.UU.": "Estados Unidos", "etc.": "etcétera", "p. ej.": "por ejemplo",
    "aprox.": "aproximadamente",
    "Avda.": "Avenida", "núm.": "número", "pág.": "página", "a. C.": "antes de Cristo",
    "d. C.": "después de Cristo",
}  # fmt: skip

_SCALES = {
    "mil": ("mil", "mil"),
    **dict.fromkeys(("millón", "millones", "M"), ("millón", "millones")),
}

SPANISH = Wording(
    locale="es",
    numbers="es",
    thousands=SPACED,
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
    dates=SLASHED_DAY_FIRST,
    date="{d} de {month} de {y}",
    scales=_SCALES,
    one=("un", "una"),
    feminine=frozenset({"libra", "onza", "milla", "hectárea", "hora"}),
    in_context=((r"(?<![\w.,])1(?=\s(?:millón|billón)\b(?!\s?[$€£¥]))", "un"),),
    abbreviations=_ABBREVIATIONS,
    before_name=frozenset(_ABBREVIATIONS) - {"etc.", "a. C.", "d. C.", "EE. UU.", "EE.UU."},
)
