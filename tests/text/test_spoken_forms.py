"""What is said for ranges, times, letters, measures, fractions and exponents, by language."""

import pytest

from vall_e.text.normalizers.options import RulesConfig
from vall_e.text.normalizers.rules import RuleNormalizer

normalize = RuleNormalizer(RulesConfig())

ENGLISH = {
    # ranges and scores
    "5-10 minutes": "five to ten minutes",
    "ages 8-12, ages 8–12": "ages eight to twelve, ages eight to twelve",
    "pp. 5-10": "pages five to ten",
    "won 21-14, lost 3-2": "won twenty-one to fourteen, lost three to two",
    "100-1000 people": "one hundred to one thousand people",
    "1,000-2,000 people": "one thousand to two thousand people",
    "1939-45, a 9-5 job": "nineteen thirty-nine to forty-five, a nine to five job",
    "8-12-year-olds": "eight to twelve-year-olds",
    "call 555-1234": "call five five five, one two three four",
    "Section 3-2": "Section three, two",
    "A-Z": "A to Z",
    # days, months, times
    "Mon.–Fri. 9-5": "Monday to Friday nine to five",
    "Jan.–Mar. or May–June": "January to March or May to June",
    "Sat. 5 May, on Wed. May 5": "Saturday fifth May, on Wednesday May fifth",
    "They sat. 5 left.": "They sat. five left.",
    "10:30-11:45, 9-11:30": "ten thirty to eleven forty-five, nine to eleven thirty",
    "9-11am, 9am-5pm": "nine to eleven AM, nine AM to five PM",
    "9 a.m.-5 p.m. daily": "nine AM to five PM daily",
    "10:05:30": "ten oh five and thirty seconds",
    "1h30m, 1h 30m 10s": "one hour thirty minutes, one hour thirty minutes ten seconds",
    "2h30, 5m30s": "two hours thirty minutes, five minutes thirty seconds",
    "9 a.m. EST": "nine AM EST",
    "9 a.m. Monday": "nine AM Monday",
    "9 a.m. He left": "nine AM. He left",
    "2.15 pm": "two fifteen PM",
    "1:00a.m. or 1:00 a.m today": "one AM or one AM today",
    "1:59 p.m.est, 2 p.m. e.s.t": "one fifty-nine PM est, two PM EST",
    "10:00:00 p.m. today": "ten o'clock and zero seconds PM today",
    "1960s-80s": "nineteen sixties to eighties",
    "100 million kg, 3 kgs": "one hundred million kilograms, three kilograms",
    "12KG": "twelve kilograms",
    "2 wks, 6 mos, 5 yrs, 1 yr": "two weeks, six months, five years, one year",
    "1 Mbps, 3 mbps": "one megabit per second, three megabits per second",
    "5 km³": "five cubic kilometers",
    # letters
    "vitamin A is": "vitamin A- is",
    "Plan A or B": "Plan A- or B",
    "A. A. Milne, A.A. Milne, A. Milne": "A- A- Milne, A- A- Milne, A- Milne",
    "the U.S.A. is": "the U S A- is",
    "an A student, from A to Z is": "an A- student, from A- to Z is",
    "A is a letter": "A is a letter",
    "A dog and A cat": "A dog and A cat",
    "Take vitamin A. It helps": "Take vitamin A. It helps",
    # abbreviations before a number
    "Fig. 3, Figs. 3-5": "Figure three, Figures three to five",
    "Approx. 12, c. 1850": "Approximately twelve, circa eighteen fifty",
    "No. 10, Vol. 2": "Number ten, Volume two",
    "He said no. Then": "He said no. Then",
    "Baker St. Then": "Baker Street. Then",
    "Nov. 1605": "November sixteen oh-five",
    # units, ordinals, measures
    "200 sq. ft. of it": "two hundred square feet of it",
    "5 ft. 10 in. tall": "five feet ten inches tall",
    "the 3RD man, 1ST": "the third man, first",
    'a 12" pizza, 12" long': "a twelve inch pizza, twelve inches long",
    "a 6' wall, 6' tall": "a six foot wall, six feet tall",
    "5′ 10″": "five feet ten inches",
    'He said "I am 12" and "so".': 'He said "I am twelve" and "so".',
    "40° 26′ 46″": "forty degrees twenty-six minutes forty-six seconds",
    '2 1/2" pipe': "two and a half inch pipe",
    # fractions and exponents
    "10/2, 120/80": "ten over two, one hundred and twenty over eighty",
    "10⁻³, 10⁻³ kg": "ten to the power of minus three, ten to the power of minus three kilograms",
    "x², 10³, 5 m²": "x squared, ten cubed, five square meters",
    "per m²": "per square meter",
    "world.How are you?": "world. How are you?",
}
OTHERS = {
    "de": {
        "Am 3. Oktober": "Am dritten Oktober",
        "Am 08.01.2025": "Am achten Januar zweitausendfünfundzwanzig",
        "Am Montag, 3. Oktober": "Am Montag, dritten Oktober",
        "Vom 3. bis 5. Mai": "Vom dritten bis fünften Mai",
        "vom 1.–3. Mai": "vom ersten bis dritten Mai",
        "Zum 100. Jubiläum": "Zum hundertsten Jubiläum",
        "Montag, 3. Oktober": "Montag, dritter Oktober",
        "Der 3. Oktober": "Der dritte Oktober",
        "8–17 Uhr, 22-6 Uhr": "acht bis siebzehn Uhr, zweiundzwanzig bis sechs Uhr",
        "5-10 Minuten": "fünf bis zehn Minuten",
        "gewann 21-14, 3:2": "gewann einundzwanzig zu vierzehn, drei zu zwei",
        "14.15 Uhr": "vierzehn Uhr fünfzehn",
        "14.15–15.30 Uhr": "vierzehn Uhr fünfzehn bis fünfzehn Uhr dreißig",
        "8:00–17:00 Uhr": "acht Uhr bis siebzehn Uhr",
        "10:05:30 Uhr": "zehn Uhr fünf Minuten und dreißig Sekunden",
        "Mo.–Fr. 8-17 Uhr": "Montag bis Freitag acht bis siebzehn Uhr",
        "Fr. Müller, Fr., 3. Mai": "Frau Müller, Freitag, dritter Mai",
        "3 Std. Fahrt": "drei Stunden Fahrt",
        "3 Std. Dann": "drei Stunden. Dann",
        "5 Min. 30 Sek. lang": "fünf Minuten dreißig Sekunden lang",
        "1h30m": "eine Stunde dreißig Minuten",
        "1/2, 3/4 kg, ½ h": "ein halb, drei Viertel Kilogramm, eine halbe Stunde",
        "2½ Liter, 1 1/2": "zweieinhalb Liter, eineinhalb",
        "10/2, 24/7": "zehn durch zwei, vierundzwanzig sieben",
        "Seite 5/6": "Seite fünf von sechs",
        "10⁻³, x²": "zehn hoch minus drei, x hoch zwei",
        "12\" Pizza, 6' hoch": "zwölf Zoll Pizza, sechs Fuß hoch",
        "Abs. 2, S. 12, Art. 5": "Absatz zwei, Seite zwölf, Artikel fünf",
        "& Co. KG": "und Co KG",
        "A. A. Milne": "A A Milne",
    },
    "fr-fr": {
        "5-10 minutes": "cinq à dix minutes",
        "8h-17h, 8–17 h": "huit heures à dix-sept heures, huit à dix-sept heures",
        "10:05:30": "dix heures cinq et trente secondes",
        "1h30min, 1h30": "une heure trente minutes, une heure trente",
        "lun.–ven. 8h": "lundi à vendredi huit heures",
        "1/2, 3/4 h, ½ kg": "un demi, trois quarts d'heure, un demi-kilogramme",
        "2½, 10/2, 24/7": "deux et demi, dix sur deux, vingt-quatre sept",
        "10⁻³, x², x³": "dix puissance moins trois, x au carré, x au cube",
        "12\" et 6'": "douze pouces et six pieds",
        "21-14": "vingt et un à quatorze",
        "1ER mai, le 2E étage": "premier mai, le deuxième étage",
        "Tél. 01, p. 12, art. 5": "Téléphone zéro un, page douze, article cinq",
        "Y. Dupont, vitamine A est": "i grec Dupont, vitamine A est",
    },
    "es": {
        "5-10 minutos": "cinco a diez minutos",
        "8–17 h, 8 h-17 h": "ocho a diecisiete horas, ocho a diecisiete horas",
        "14:15 h, 14.15 h": "catorce y quince, catorce y quince",
        "10:05:30, 1h30m": "diez y cinco y treinta segundos, una hora treinta minutos",
        "lun.–vie. 8 h": "lunes a viernes ocho horas",
        "5 millones kg": "cinco millones de kilogramos",
        "1/2, 3/4 kg, ½ h": "un medio, tres cuartos de kilogramo, media hora",
        "2½, 10/2, 24/7": "dos y medio, diez entre dos, veinticuatro siete",
        "10⁻³, x²": "diez elevado a menos tres, x al cuadrado",
        "12\" y 6'": "doce pulgadas y seis pies",
        "21-14, 1.ER día": "veintiuno a catorce, primer día",
        "EE. UU. y art. 5": "Estados Unidos y artículo cinco",
        "pág. 12, n.º 5": "página doce, número cinco",
    },
}
ROWS = [("en-us", *row) for row in ENGLISH.items()] + [
    (language, *row) for language, rows in OTHERS.items() for row in rows.items()
]


@pytest.mark.parametrize(("language", "written", "spoken"), ROWS)
def test_it_is_said_as_a_reader_says_it(language, written, spoken):
    assert normalize(written, language).replace("\xa0", " ") == spoken


@pytest.mark.parametrize("text", ["vitamin A is good", "A. A. Milne wrote", "the U.S.A. is"])
@pytest.mark.parametrize("language", ["en-us", "en-gb"])
def test_a_letter_has_its_name(espeak, text, language):
    spoken = espeak(normalize(text, language), language)
    assert "eɪ" in spoken.replace("vˈeɪ", "")
    assert "ɐ" not in spoken


@pytest.mark.parametrize("text", ["Paris – London", "late - too late", "late — too late"])
def test_a_dash_between_spaces_is_a_pause(espeak, text):
    assert "—" in espeak(normalize(text, "en-us"), "en-us")
