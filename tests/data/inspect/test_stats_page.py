import re
from collections import Counter
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from attrs import evolve

from vall_e.data.inspect.stats import Survey, UtteranceInfo
from vall_e.data.inspect.stats_page import page
from vall_e.data.inspect.symbol_coverage import coverage
from vall_e.text.vocabulary import Vocabulary


class Words(HTMLParser):
    """The visible text of a page, and its tags."""

    def __init__(self, text):
        super().__init__()
        self.text, self.tags = "", Counter()
        self.feed(text)

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1


def items(count=20):
    return [
        UtteranceInfo(
            f"i{n}", f"<s{n % 3}>", "de" if n % 2 else "en", 2 + n / 50, "hello", "həlo\u0303"
        )
        for n in range(count)
    ]


ODD = UtteranceInfo("odd & long", "<s0>", "en", 60.0, "<b>hello</b>", "həlo")
BAD = UtteranceInfo("bad", "x", "en", 0.0, "", problem="bad.wav is no <audio>")


def test_everything_is_on_the_page_and_nothing_is_loaded():
    known = coverage(Survey([*items(), ODD]), Vocabulary.of("hlox"))
    made = page(Survey([*items(), ODD, BAD]), title="a & b", coverage=known)
    words = Words(made)
    for told in ("a & b", "22 utterances", "<s2>", "odd & long", "<b>hello</b>", "combining tilde"):
        assert told in words.text
    assert "missing text" in words.text
    assert "bad.wav is no <audio>" in words.text
    assert re.search(r"ə\s*21", words.text)  # the model lacks it
    assert (
        "75% of the 4 symbols that the model knows occur here. These do not occur: x."
        in " ".join(words.text.split())
    )
    assert not re.search(r"\b(src|href|url|import|https?:)\b", made)
    assert not words.tags["script"]


@pytest.mark.parametrize("count", [0, 1, 500])
def test_the_plots_stay_within_their_frame(count):
    several = [evolve(one, speaker=one.id * 20) for one in items(count)]
    plots = re.findall(r"<svg.*?</svg>", page(Survey(several), title="", coverage=None), re.DOTALL)
    assert len(plots) == (4 if count else 3)
    for plot in map(ElementTree.fromstring, plots):
        wide, high = map(float, plot.get("viewBox").split()[2:])
        for bar in plot.iter("rect"):
            x, y, width, height = (float(bar.get(key)) for key in ("x", "y", "width", "height"))
            assert 0 <= x <= x + width <= wide
            assert 0 <= y <= y + height <= high


def test_the_command_writes_it(small_registry, tmp_path):
    from click.testing import CliRunner

    from vall_e.cli.app import App, cli
    from vall_e.testing import StaircaseCodec
    from vall_e.testing.fakes.tiny_dataset import write_dataset

    write_dataset(tmp_path / "set", StaircaseCodec())
    out = tmp_path / "stats.html"
    words = ["data", "stats", str(tmp_path / "set"), "--page", str(out)]
    result = CliRunner().invoke(cli, words, obj=App(registry=small_registry))
    assert result.exit_code == 0, result.output
    assert "20 utterances" in out.read_text()
    assert "20 utterances" in result.output
    words[-1] = str(tmp_path / "no" / "stats.html")
    result = CliRunner().invoke(cli, words, obj=App(registry=small_registry))
    assert (result.exit_code, "make the folder" in result.stderr) == (8, True)
