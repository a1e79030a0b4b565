import pytest

from vall_e.errors import UnavailableError
from vall_e_judges.packages import require


def test_a_missing_package_is_named_with_the_line_that_installs_it():
    with pytest.raises(UnavailableError, match="judge x needs the package no_such_one") as caught:
        require("x", "json", "no_such_one")
    assert caught.value.hint == 'pip install "vall-e[eval]"'


def test_what_is_installed_is_enough():
    require("x", "json")
