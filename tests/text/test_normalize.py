import pytest
from hypothesis import given
from hypothesis import strategies as st

from vall_e.text.normalize import normalize

ENGLISH = [
    ("I have 3 cats.", "I have three cats."),
    ("1,234,567", "one million two hundred and thirty-four thousand five hundred and sixty-seven"),
    ("3.14", "three point one four"),
    ("-5 degrees", "minus five degrees"),
    ("007", "zero zero seven"),
    ("12345678901234567", "one two three four five six seven eight nine zero one two three four "
     "five six seven"),
    ("in 1984", "in nineteen eighty-four"),
    ("in 2024", "in twenty twenty-four"),
    ("1939-1945", "nineteen thirty-nine to nineteen forty-five"),
    ("1939-45", "nineteen thirty-nine to forty-five"),
    ("call 555-1234", "call five five five, one two three four"),
    ("the 21st", "the twenty-first"),
    ("May 12, 2024", "May twelfth, twenty twenty-four"),
    ("Feb. 3rd", "February third"),
    ("on 12/05/2024", "on December fifth, twenty twenty-four"),
    ("2024-05-31", "May thirty-first, twenty twenty-four"),
    ("at 10:30", "at ten thirty"),
    ("at 9:05", "at nine oh five"),
    ("at 12:00.", "at twelve o'clock."),
    ("at 3:00 p.m.", "at three p m."),
    ("at 3pm", "at three pm"),
    ("$1", "one dollar"),
    ("$3.50", "three dollars and fifty cents"),
    ("$0.99", "ninety-nine cents"),
    ("$5 million", "five million US dollars"),
    ("¥300", "three hundred Japanese yen"),
    ("50%", "fifty percent"),
    ("70 kg", "seventy kilograms"),
    ("1 km", "one kilometer"),
    ("5 km/h", "five kilometers per hour"),
    ("21 °C", "twenty-one degrees Celsius"),
    ("2.5 m.", "two point five meters."),
    ("Dr. Smith", "Doctor Smith"),
    ("Mr. and Mrs. Jones", "Mister and Missus Jones"),
    ("St. John", "Saint John"),
    ("Baker St. is long", "Baker Street is long"),
    ("No. 5", "Number five"),
    ("cats, etc. And dogs etc.", "cats, et cetera. And dogs et cetera."),
    ("J. F. Kennedy", "J F Kennedy"),
    ("It was I. He left.", "It was I. He left."),
    ("the U.S. Army", "the U S Army"),
    ("in the U.S.", "in the U S."),
    ("HE WAS A MAN OF FEW WORDS", "he was a man of few words"),
    ("NASA and FBI", "NASA and FBI"),
    ("B2B", "B two B"),
    ("v2.0.1", "v two point zero point one"),
    ("in the 1990s", "in the nineteen nineties"),
    ("1/2 & more @ home", "one/two & more @ home"),
    ("He may march on.", "He may march on."),
]  # fmt: skip
OTHERS = [
    ("de", "3,50 €", "drei Euro und fünfzig Cent"),
    ("de", "1.234,5 km", "eintausendzweihundertvierunddreißig Komma fünf Kilometer"),
    ("de", "am 12. Mai", "am zwölften Mai"),
    ("de", "Der 3. Oktober", "Der dritte Oktober"),
    ("de", "vom 12.05.2024", "vom zwölften Mai zweitausendvierundzwanzig"),
    ("de", "um 10:30 Uhr", "um zehn Uhr dreißig"),
    ("de", "Dr. Müller, z. B.", "Doktor Müller, zum Beispiel."),
    ("fr-fr", "3,50 €", "trois euros et cinquante centimes"),
    ("fr-fr", "le 1er mai à 10h30", "le premier mai à dix heures trente"),
    ("fr-fr", "12 345 m", "douze mille trois cent quarante-cinq mètres"),
    ("fr-fr", "M. Dupont", "Monsieur Dupont"),
    ("es", "1.234,5 km", "mil doscientos treinta y cuatro coma cinco kilómetros"),
    ("es", "el Sr. García", "el Señor García"),
    ("en-gb", "12/05/2024", "May twelfth, twenty twenty-four"),
    ("sv", "5 kg", "5 kg"),
]


@pytest.mark.parametrize(("written", "spoken"), ENGLISH)
def test_english_is_written_out(written, spoken):
    assert normalize(written, "en-us") == spoken


@pytest.mark.parametrize(("language", "written", "spoken"), OTHERS)
def test_other_languages_are_written_out(language, written, spoken):
    assert normalize(written, language).replace("\xa0", " ") == spoken


@pytest.mark.parametrize("language", ["en-us", "de", "fr-fr", "es"])
@given(text=st.text(alphabet=st.sampled_from("0123456789.,:/-% $€h kmg°")))
def test_no_figure_is_left(language, text):
    assert not any(char in "0123456789" for char in normalize(text, language))


@given(text=st.text(st.characters(categories=("Ll", "Zs"))))
def test_words_are_left_alone(text):
    assert normalize(text, "en-us") == text
