import pytest
from hypothesis import given
from hypothesis import strategies as st

from vall_e.text.normalizers.options import RulesConfig
from vall_e.text.normalizers.rules import RuleNormalizer

normalize = RuleNormalizer(RulesConfig())

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
    ("at 3:00 p.m.", "at three PM."),
    ("at 3pm, 10:30am", "at three PM, ten thirty AM"),
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
    ("the 1,001st", "the one thousand and first"),
    ("1-800-555-1234", "one, eight zero zero, five five five, one two three four"),
    ("(555) 123-4567", "five five five, one two three, four five six seven"),
    ("50¢ and 1¢", "fifty cents and one cent"),
    ("24 hrs or 10 min", "twenty-four hours or ten minutes"),
    ("v2.0.1", "v two point zero point one"),
    ("in the 1990s", "in the nineteen nineties"),
    ("1/2 & more @ home", "one half & more @ home"),
    ("He may march on.", "He may march on."),
    ("It is -5 °C.", "It is minus five degrees Celsius."),
    ("20%-30%", "twenty to thirty percent"),
    ("5-10 km", "five to ten kilometers"),
    ("$20-30", "twenty to thirty dollars"),
    ("$20-$30", "twenty to thirty dollars"),
    ("$1.50-2.50", "one dollar and fifty cents to two dollars and fifty cents"),
    ("$5-10 million", "five to ten million US dollars"),
    ("-5 to -3 °C", "minus five to minus three degrees Celsius"),
    ("B-52 kg", "B-fifty-two kilograms"),
    ("-$5M", "minus five million US dollars"),
    ("$5k or €5bn", "five thousand US dollars or five billion euros"),
    ("£3.2m", "three point two million British pounds"),
    ("C$5", "five Canadian dollars"),
    ("$5X", "five dollars X"),
    ("$5 a day", "five dollars a day"),
    ("５ apples, 1５ cats, ٣, १२", "five apples, fifteen cats, three, twelve"),
    ("5 ft. tall", "five feet tall"),
    ("He is 5 ft. Then", "He is five feet. Then"),
    ("no. 5", "number five"),
    ("02/30/2024", "zero two/thirty/twenty twenty-four"),
    ("12/05/24", "December fifth, twenty-four"),
    ("192.168.1.10", "one hundred and ninety-two point one hundred and sixty-eight point one "
     "point ten"),
    ("3/4 of it, 2 1/2 cups, 3⅛", "three quarters of it, two and a half cups, three and an eighth"),
    ("½ kg or 1½ mi", "one half kilogram or one and a half miles"),
    ("24/7, not 9/11", "twenty-four seven, not nine eleven"),
    ("and/or 1/2/3", "and/or one/two/three"),
    ("5 x 3 = 15", "five times three equals fifteen"),
    ("3x faster, 1920x1080, 2 m x 3 m",
     "three times faster, nineteen twenty by one thousand and eighty, two meters by three meters"),
    ("2 + 2 = 4, 10 - 4 = 6, 10−4", "two plus two equals four, ten minus four equals six, "
     "ten minus four"),
    ("6 ÷ 2, 6 / 2, 2^3", "six divided by two, six divided by two, two to the power of three"),
    ("5 < 6, ~20, +5", "five is less than six, about twenty, plus five"),
    ("odds of 2:1", "odds of two to one"),
    ("at 14:00", "at fourteen hundred"),
    ("on 5 January 2020, not 2020/01/05",
     "on fifth January twenty twenty, not January fifth, twenty twenty"),
    ("2 kg of flour", "two kilograms of flour"),
    ("10 km/h or 9.8 m/s²",
     "ten kilometers per hour or nine point eight meters per second squared"),
    ("2 s, 30 mins, 5 sq ft, 5 m2", "two seconds, thirty minutes, five square feet, "
     "five square meters"),
    ("3 dB, 50 Mbps, 12 in. wide", "three decibels, fifty megabits per second, twelve inches wide"),
    ("6'2\"", "six foot two\""),
    ("5 USD or EUR 20", "five dollars or twenty euro"),
    ("5 EUROPEANS", "five EUROPEANS"),
    ("555 123 4567", "five five five, one two three, four five six seven"),
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
    ("sv", "５ kg", "5 kg"),
    ("de", "-3,50 €", "minus drei Euro und fünfzig Cent"),
    ("fr-fr", "-5%", "moins cinq pour cent"),
    ("de", "10.000.000", "zehn Millionen"),
    (
        "de",
        "1.234.567 Menschen",
        "eine Million zweihundertvierunddreißigtausendfünfhundertsiebenundsechzig Menschen",
    ),
    ("es", "10.000.000 personas", "diez millones de personas"),
    ("es", "1 millón de euros", "un millón de euros"),
    ("es", "5 M€", "cinco millones de euros"),
    ("es", "1.500.000 personas", "un millón quinientas mil personas"),
    ("es", "21.000", "veintiún mil"),
    ("es", "21 años", "veintiún años"),
    ("es", "31 días", "treinta y un días"),
    ("es", "21 veces", "veintiuna veces"),
    ("es", "200 páginas", "doscientas páginas"),
    ("es", "el 21 de mayo", "el veintiuno de mayo"),
    ("es", "21 menos 1", "veintiuno menos uno"),
    ("es", "21 kg", "veintiún kilogramos"),
    ("es", "a la 1:15", "a la una y quince"),
    ("es", "la 3.ª vez", "la tercera vez"),
    ("es", "el 1.º piso y el 3.er día", "el primer piso y el tercer día"),
    ("fr-fr", "1 000 000 habitants", "un million d'habitants"),
    ("fr-fr", "3 000 000 personnes", "trois millions de personnes"),
    ("fr-fr", "2 000 000 de personnes", "deux millions de personnes"),
    ("fr-fr", "1 500 000 euros", "un million cinq cent mille euros"),
    ("fr-fr", "2,5 M€", "deux virgule cinq millions d'euros"),
    ("fr-fr", "1 000 000 €", "un million d'euros"),
    ("fr-fr", "2 000 000 dans un an", "deux millions dans un an"),
    ("fr-fr", "la 1re fois", "la première fois"),
    ("fr-fr", "le 1 mai", "le premier mai"),
    ("fr-fr", "le 01/05/2024", "le premier mai deux mille vingt-quatre"),
    ("fr-fr", "à 1h05, à 21h30", "à une heure cinq, à vingt et une heures trente"),
    ("fr-fr", "12h", "douze heures"),
    ("de", "im 21. Jahrhundert", "im einundzwanzigsten Jahrhundert"),
    ("de", "der 2. Weltkrieg", "der zweite Weltkrieg"),
    ("de", "in der 3. Etage", "in der dritten Etage"),
    ("de", "vom 1. bis 3. Mai", "vom ersten bis dritten Mai"),
    ("de", "Wir kommen am 31.", "Wir kommen am einunddreißigsten."),
    ("de", "Es waren 3. Dann ging er.", "Es waren drei. Dann ging er."),
    ("de", "um 1 Uhr und 1:00 Uhr", "um ein Uhr und ein Uhr"),
    ("de", "1 Mrd. Euro, 3 Mio. Menschen", "eine Milliarde Euro, drei Millionen Menschen"),
    ("de", "1 Mio. €", "eine Million Euro"),
    ("de", "1 h", "eine Stunde"),
    ("de", "v1.2.3", "v eins Komma zwei Komma drei"),
    ("de", "am 12.05.24", "am zwölften Mai vierundzwanzig"),
    (
        "de",
        "192.168.178.100",
        "einhundertzweiundneunzig Komma einhundertachtundsechzig Komma "
        "einhundertachtundsiebzig Komma einhundert",
    ),
    ("fr-fr", "Me voici.", "Me voici."),
    ("fr-fr", "chez Me Dupont", "chez Maître Dupont"),
    ("de", "1 kg", "ein Kilogramm"),
    ("de", "1 oz", "eine Unze"),
    ("de", "1 Million €", "eine Million Euro"),
    ("de", "1 Million Menschen", "eine Million Menschen"),
    ("de", "5 Mio. €", "fünf Millionen Euro"),
    ("de", "die 1990er Jahre", "die neunzehnhundertneunziger Jahre"),
    ("es", "1 kg", "un kilogramo"),
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


@pytest.mark.parametrize("language", ["en-us", "de", "fr-fr", "es"])
@pytest.mark.parametrize(
    "quantity", ["5 °C", "50%", "1 kg", "5-10 km", "1 €", "20-30 $", "$5M", "7"]
)
@pytest.mark.parametrize("sign", ["-", "−"])
def test_a_sign_is_spoken_and_changes_nothing_else(language, quantity, sign):
    minus = {"fr-fr": "moins", "es": "menos"}.get(language, "minus")
    spoken = normalize(f"({sign}{quantity})", language)
    assert spoken == f"({minus} {normalize(quantity, language)})"


@pytest.mark.parametrize("language", ["en-us", "de", "fr-fr", "es"])
@given(text=st.text(alphabet=st.sampled_from("0123456789.,:/-–−% $€h kmg°５٣१²①½⅛⁄x=+<")))
def test_nothing_makes_it_fail(language, text):
    assert not any(char.isdecimal() for char in normalize(text, language))


@pytest.mark.parametrize("language", ["en-us", "de", "fr-fr", "es"])
@pytest.mark.parametrize("after", ["", ".5", " km", "th", " €", ". Mai", "%"])
def test_a_number_too_long_to_name_is_read_digit_by_digit(language, after):
    assert not any(char.isdecimal() for char in normalize("9" * 40 + after, language))


@given(text=st.text(st.characters(categories=("Ll", "Zs"))))
def test_words_are_left_alone(text):
    assert normalize(text, "en-us") == text
