"""How Spanish is spoken."""

from __future__ import annotations

from vall_e.text import number_agreement
from vall_e.text.fractions import with_slashes
from vall_e.text.table_fractions import TableFractions
from vall_e.text.wordings.wording import CLOCK, SLASHED_DAY_FIRST, SPACED, Wording, with_capitals

_ABBREVIATIONS = {
    "Sr.": "Señor", "Sra.": "Señora", "Srta.": "Señorita", "Dr.": "Doctor", "Dra.": "Doctora",
    "D.": "Don", "Dña.": "Doña", "Ud.": "usted", "Uds.": "ustedes", "EE. UU.": "Estados Unidos",
    "EE.UU.": "Estados Unidos", "etc.": "etcétera", "p. ej.": "por ejemplo",
    "aprox.": "aproximadamente",
    "Avda.": "Avenida", "núm.": "número", "pág.": "página", "a. C.": "antes de Cristo",
    "d. C.": "después de Cristo",
    "a.C.": "antes de Cristo", "d.C.": "después de Cristo", "p.ej.": "por ejemplo",
    "Av.": "Avenida", "Lic.": "Licenciado", "Ing.": "Ingeniero", "Prof.": "Profesor",
    "máx.": "máximo", "mín.": "mínimo", "n.º": "número", "N.º": "Número",
}  # fmt: skip

_SCALES = {
    "mil": ("mil", "mil"),
    **dict.fromkeys(("millón", "millones", "M"), ("millón", "millones")),
}

_BEFORE_NUMBER = {
    **with_capitals(
        {
            "art.": "artículo", "arts.": "artículos", "núm.": "número", "núms.": "números",
            "pág.": "página", "págs.": "páginas", "pp.": "páginas", "cap.": "capítulo",
            "caps.": "capítulos", "fig.": "figura", "vol.": "volumen", "tel.": "teléfono",
            "tfno.": "teléfono", "aprox.": "aproximadamente", "apdo.": "apartado",
            "párr.": "párrafo", "tab.": "tabla", "ec.": "ecuación", "no.": "número",
            "ed.": "edición",
        }
    ),
    "p.": "página", "n.": "número", "t.": "tomo", "c.": "circa", "v.": "versión",
}  # fmt: skip
_HOURS = r"(?:\s?h(?:s|rs)?\b)?"
_FEMININE = frozenset({"libra", "onza", "milla", "hectárea", "hora"})
_FRACTIONS = TableFractions(
    one_and_more={
        2: ("medio", "medios"), 3: ("tercio", "tercios"), 4: ("cuarto", "cuartos"),
        5: ("quinto", "quintos"), 6: ("sexto", "sextos"), 7: ("séptimo", "séptimos"),
        8: ("octavo", "octavos"), 9: ("noveno", "novenos"), 10: ("décimo", "décimos"),
        12: ("doceavo", "doceavos"), 16: ("dieciseisavo", "dieciseisavos"),
        20: ("veinteavo", "veinteavos"), 100: ("centésimo", "centésimos"),
    },
    one="un",
    over="entre",
    of="de",
    place_words=("página", "parte", "paso", "episodio", "tomo", "volumen", "diapositiva"),
    half=lambda unit: f"{'media' if unit in _FEMININE else 'medio'} {unit}",
    part_of=lambda parts, unit: f"{parts} de {unit}",
    after_whole=lambda whole, parts: f"{whole} y {parts.replace('un medio', 'medio')}",
)  # fmt: skip

SPANISH = Wording(
    locale="es",
    numbers="es",
    thousands=SPACED,
    point="coma",
    minus="menos",
    until="a",
    joined="con",
    score="a",
    power="elevado a",
    powers={"2": "al cuadrado", "3": "al cubo"},
    until_before=r"\s?(?:h\b|horas)",
    after_time=_HOURS,
    with_seconds="{time} y {s}",
    prepare=with_slashes,
    fractions=_FRACTIONS,
    before_number=_BEFORE_NUMBER,
    letters={"Y": "i griega"},
    lettered=("vitamina", "plan", "grupo", "clase", "tipo", "hepatitis", "bloque", "puerta"),
    time_of_day=CLOCK + _HOURS,
    time="{h} y {m}",
    full_hour="{h} en punto",
    times=((r"^((?:veinti)?)uno\b", r"\1una"),),
    ordinals=(
        (r"\b(?P<n>[13])(?P<drop>\.?º)(?= [a-zñ])", "o$", ""),
        (r"\b(?P<n>[13])(?P<drop>\.?(?i:er))\b", "o$", ""),
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
    feminine=_FEMININE,
    in_context=(
        (r"(?<![\w.,])1(?=\s(?:millón|billón)\b(?!\s?[$€£¥]))", "un"),
        (r"(?<![\d.])([01]?\d|2[0-3])\.([0-5]\d)(?=\s?h(?:s|rs)?\b)", r"\1:\2"),
        (r"(?<=\d)\s?h\s?[-–]\s?(?=\d{1,2}\s?h)", " a "),
        (r"(?<=\d):(?=\d(?!\d))", " a "),
    ),
    abbreviations=_ABBREVIATIONS,
    before_name=frozenset(_ABBREVIATIONS) - {"etc.", "a. C.", "d. C.", "EE. UU.", "EE.UU."},
)
