"""The symbols that espeak-ng writes, and the rest of the IPA chart, as single code points (NFD)."""

from __future__ import annotations

LETTERS = (
    "abcdefghijklmnopqrstuvwxyz"
    "æðøħŋœɐɑɒɓɔɕɖɗɘəɚɛɜɝɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾʀʁʂʃʄʈʉʊʋʌʍʎʏʐʑʒʔʕʘʙʛʜʝʟʡʢʦʧ"
    "βθχᵻⱱǀǁǂǃ"
)
MODIFIERS = "ʰʲʷʼˈˌːˑˠˤ˞ᵐᵑᵝⁿ‿"
_ABOVE = "\u0300\u0301\u0302\u0303\u0304\u0306\u0308\u030a\u030b\u030c\u030f\u0311\u033d"
_BELOW = (
    "\u0318\u0319\u031a\u031c\u031d\u031e\u031f\u0320\u0323\u0324\u0325\u0327\u0328\u0329"
    "\u032a\u032c\u032f\u0330\u0334\u0339\u033a\u033b\u033c"
)
_TIE = "\u0361"
DIACRITICS = _ABOVE + _BELOW + _TIE
TONES = "0123456789˥˦˧˨˩"
# What espeak-ng 1.52 leaves of its own notation in some languages, found by having it read the
# names of months, countries, languages and currencies in all that it knows.
ESPEAK = "\"#'()*+-/?@[]^`§~AEIKNOSUXZΦε"

IPA = LETTERS + MODIFIERS + DIACRITICS + TONES + ESPEAK
