"""Where a dot ends a sentence, and where it does not, in every language that has a wording."""

import pytest

from vall_e.text.sentences import split

WHOLE = {
    "en-us": [
        "See No. 10 Downing Street.", "See Nos. 3 and 4.", "Approx. 12 people came.",
        "It took approx. 12 days.", "In Nov. 1605 he died.", "Jan. 5 was cold.",
        "Fig. 3 shows it.", "See Figs. 4 and 5.", "It is from c. 1850 or so.", "See p. 12 of it.",
        "See pp. 5-10 there.", "Vol. 2 is out.", "Ch. 3 is long.", "Sec. 4 says so.",
        "Call ext. 12 now.", "It costs approx. $5 today.", "Brown v. Board of Education.",
        "Acme Co. Ltd. is here.", "A. A. Milne wrote it.", "I. M. Pei built it.",
        "J. R. R. Tolkien wrote it.", "It opens at 9 a.m. EST on Monday.", "He met Mr. Smith.",
        "St. Paul's is big.", "e.g. This one.", "1. Introduction.", "Visit example.Com now.",
        "Node.Js is it.", "Version 2.0 is out.",
    ],
    "de": [
        "44 v. Chr. in Rom starb er.", "Siehe Abs. 2 des Gesetzes.",
        "Siehe Art. 5 und S. 12.", "Die Müller & Co. KG ist da.", "Zum 100. Jubiläum kamen viele.",
        "Sein 50. Geburtstag war schön.", "Am 3. Oktober war es.", "Der 2. Weltkrieg begann.",
        "Vom 1. bis 3. Mai regnet es.", "Vom 1.–3. Mai regnet es.", "z. B. Äpfel und d. h. Birnen.",
        "Nach 3 Std. Fahrt war Schluss.", "Nr. 5 lebt.", "Mo.–Fr. von 8 bis 17 Uhr.",
        "Es sind ca. 50 Leute.", "Dr. J. Müller kam.", "Seit dem 11. September 2001 nicht.",
    ],
    "fr-fr": [
        "Tél. 01 23 45 67 89.", "Voir p. 12 et art. 5 ici.", "Voir chap. 2 du vol. 3.",
        "M. Dupont est là.", "En 50 av. J.-C. Rome était grande.", "En janv. 2020 il vint.",
        "p. ex. Paris est beau.", "Il y avait env. 12 personnes.", "Fig. 2 montre.",
    ],
    "es": [
        "En los EE. UU. viven muchos.", "En EE.UU. viven muchos.", "Según el art. 5 de la ley.",
        "Véase pág. 12 y núm. 3 aquí.", "El Sr. García vino.", "Aprox. 12 personas vinieron.",
        "En el 44 a. C. Roma era grande.", "En nov. 1605 murió.", "Tel. 612 345 678 de día.",
        "Véase fig. 3 del cap. 2.",
    ],
}  # fmt: skip
APART = {
    "en-us": [
        ["He said no.", "Then he left."], ["I said No.", "He left."], ["It was in Nov.", "So."],
        ["See no. 10.", "Then go."], ["Hello world.", "How are you?"], ["Stop!", "Now go."],
        ["What?", "You too."], ["wait...", "Then he left"], ["I am 42.", "She is 41."],
        ["Take vitamin A.", "It helps."], ["It was I.", "He left."], ["5 ft.", "Then he grew."],
        ["He lives on Baker St.", "She does not."], ["1. First.", "2. Second."],
        ["It happened in sec. 4.", "Good."],
    ],
    "de": [
        ["Es waren 100.", "Dann gingen sie."], ["Es waren 42.", "Sie gingen."],
        ["Er starb 44 v. Chr.", "Dann war es aus."], ["Es dauerte 3 Std.", "Dann war Schluss."],
        ["Nimm Vitamin C.", "Es hilft."], ["Hallo Welt.", "Wie geht es?"],
        ["im 19. Jh.", "Die Zeit."],
        ["Siehe Abs. 2.", "Gut."],
    ],
    "fr-fr": [
        ["Bonjour monde.", "Comment ça va ?"], ["Elle en a 41.", "Fin."], ["Voir art. 5.", "Fin."],
        ["Prenez la vitamine C.", "Elle aide."], ["Et cetera, etc.", "Voilà."],
    ],
    "es": [
        ["Hola mundo.", "Cómo estás."], ["Hola mundo.", "¿Cómo estás?"], ["Tiene 41.", "Fin."],
        ["Toma vitamina C.", "Ayuda."], ["Véase núm. 3.", "Fin."],
    ],
}  # fmt: skip
BOTH = [(language, [text]) for language, texts in WHOLE.items() for text in texts] + [
    (language, texts) for language, rows in APART.items() for texts in rows
]


@pytest.mark.parametrize(("language", "sentences"), BOTH)
def test_a_sentence_ends_where_a_reader_ends_it(language, sentences):
    assert split(" ".join(sentences), language=language) == sentences


GLUED = ["Hello world.How are you?", "Hallo Welt.Wie geht es?", "Bonjour monde.Comment ça va ?"]


@pytest.mark.parametrize("text", [*GLUED, "Hola mundo.¿Cómo estás?", "Stop!Now go."])
def test_a_missing_space_after_a_sentence_is_put_in(text):
    assert len(split(text)) == 2


@pytest.mark.parametrize("text", [text for texts in WHOLE.values() for text in texts])
def test_without_a_language_every_abbreviation_counts(text):
    assert split(text) == [text]


def test_in_another_language_a_number_with_a_dot_continues():
    assert split("Den 3. Oktober var det.", language="sv") == ["Den 3. Oktober var det."]
