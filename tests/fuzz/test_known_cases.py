import pytest
from known_cases import CASES
from readers import BY_NAME, READERS

from vall_e.errors import VallEError


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_valid_files_are_read(reader, tmp_path):
    reader.write(tmp_path)
    reader.read(tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.name}")
def test_known_damage_is_named_or_does_no_harm(case, tmp_path):
    reader = BY_NAME[case.kind]
    reader.write(tmp_path)
    case.damage(tmp_path)
    if not case.says:
        reader.read(tmp_path)
        return
    with pytest.raises(VallEError) as caught:
        reader.read(tmp_path)
    assert case.says in caught.value.message
    assert caught.value.hint
