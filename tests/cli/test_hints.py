import pytest

from vall_e.cli.app import App, cli
from vall_e.cli.hints import in_options
from vall_e.errors import VallEError


@pytest.mark.parametrize(
    ("library", "command_line"),
    [
        ("name one with `voice=`: a recording", "name one with --voice: a recording"),
        ("lower `max_seconds=`, or `model=`", "lower --max-seconds, or -m"),
        ("set `speed: 1`, as in f(x=1)", "set `speed: 1`, as in f(x=1)"),
    ],
)
def test_arguments_become_options(library, command_line):
    assert in_options(library) == command_line


def test_a_request_that_fails_is_reported_in_options_on_the_command_line(capsys):
    with pytest.raises(SystemExit) as caught:
        cli(["synth", "Hello.", "--voice", "nobody", "-o", "x.wav"], obj=App())
    assert caught.value.code == 5
    told = capsys.readouterr().err
    assert "=`" not in told
    assert "nobody" in told


def test_from_python_the_same_request_names_arguments():
    import vall_e

    with pytest.raises(VallEError) as caught:
        vall_e.load().synthesize("Hello.", voice="nobody")
    assert "--" not in f"{caught.value.message} {caught.value.hint}"
