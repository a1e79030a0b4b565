import pytest

from vall_e.text.unicode_form import compatible

ORDINARY = {
    "ＡＢＣ ａｂｃ １２３": "ABC abc 123",
    "１，２３４．５": "1,234.5",
    "１０：３０": "10:30",
    "５０％ ＄５ （ａ）": "50% $5 (a)",
    "Henry Ⅷ, Ⅳ and ⅻ": "Henry VIII, IV and xii",
    "ﬁsh, ﬂat, oﬃce, ﬅ": "fish, flat, office, st",
    "𝐁𝐨𝐥𝐝 𝒾𝓉𝒶𝓁𝒾𝒸 𝟙𝟚": "Bold italic 12",
    "5㎏, ㎞, ㎡": "5kg, km, m²",
    "H₂O": "H2O",
    "ｶﾞｷﾞ": "カ\u3099キ\u3099",
    "a\u200bb\u2060c\ufeff\u00add": "abcd",
    "na\u200dme": "name",
    "\ufee0\ufe8d": "\u0644\u0627",
}
UNCHANGED = [
    "½ ¾", "m² x³ 10⁻³", "3.ª 1.º", "你好，世界！", "… – — “a”", "می\u200cروم", "क्\u200dष",
    "Łódź é", "①", "★", "™", "µm", "Å",
]  # fmt: skip


@pytest.mark.parametrize("text", ORDINARY)
def test_letters_that_only_look_otherwise_become_ordinary_ones(text):
    assert compatible(text) == ORDINARY[text]


@pytest.mark.parametrize("text", UNCHANGED)
def test_what_means_more_than_its_letters_stays(text):
    assert compatible(text) == text
