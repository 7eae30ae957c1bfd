"""What strangers wrote, harmless to show; phrases; words for a shell."""

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.report.phrase import Phrase, pieces, plain, quote, told
from bisector.report.shell import command_line
from bisector.report.text import columns, fit, harmless, one_line, redacted
from tests.report.checks import hidden_characters

ANY_TEXT = st.text(alphabet=st.characters(categories=None), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("bell\a nul\0", "bell\\x07 nul\\x00"),
        ("\u202eevil", "\\u202eevil"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("\ufffe\uffff", "\\ufffe\\uffff"),
        ("a\u3164b", "a\\u3164b"),
        ("e\u0301", "e\u0301"),
        ("z" + "\u0300" * 5, "z" + "\u0300" * 3 + "\\u0300" * 2),
        ("naïve 測試 ✓", "naïve 測試 ✓"),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(ANY_TEXT)
def test_nothing_hidden_is_left(text: str) -> None:
    assert not hidden_characters(harmless(text).replace("\t", ""))
    assert "\n" not in one_line(text)


@given(ANY_TEXT, st.integers(2, 50))
def test_one_line_is_no_longer_than_asked(text: str, longest: int) -> None:
    assert len(one_line(text, longest)) <= longest


def test_one_line_of_a_megabyte_is_cut_without_reading_it_all() -> None:
    assert one_line("x" * 1_000_000, 20) == "x" * 19 + "…"
    assert one_line(" " * 1_000_000 + "end", 20) == "…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("clone https://jane:s3cret@host/x", "clone https://***@host/x"),
        ("Authorization: Bearer abcdefghijklmnop.q", "Authorization: Bearer ***"),
        ("token=abcdef123", "token=***"),
        ("ghp_abcdefghijklmnopqrstuvwxyz", "***"),
        ("ssh://git@host/x", "ssh://***@host/x"),
        ("https://host/a@b", "https://host/a@b"),
        ("an ordinary message", "an ordinary message"),
    ],
)
def test_credentials_are_not_shown(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_columns_of_wide_and_combining_characters() -> None:
    assert [columns(text) for text in ("abc", "測試", "e\u0301")] == [3, 4, 1]
    assert [fit(text, 5) for text in ("abc", "abcdefg", "測試測")] == ["abc  ", "abcd…", "測試…"]


@given(ANY_TEXT, st.integers(1, 30))
def test_fit_takes_exactly_its_width(text: str, width: int) -> None:
    assert columns(fit(harmless(text), width)) == width


@given(ANY_TEXT, ANY_TEXT)
def test_a_phrase_keeps_ours_and_theirs_apart(first: str, second: str) -> None:
    phrase = Phrase(f"made {quote(first)} and {quote(second)}.")
    assert plain(phrase) == f"made {one_line(first)} and {one_line(second)}."
    assert [piece.text for piece in pieces(phrase) if piece.quoted] == [
        one_line(text) for text in (first, second) if one_line(text)
    ]


def test_a_phrase_cannot_be_forged() -> None:
    forged = "x\x03 ours \x02y"
    (piece,) = pieces(Phrase(quote(forged)))
    assert piece.quoted
    assert piece.text == "x\\x03 ours \\x02y"


def test_plain_words_need_no_quotation() -> None:
    assert told("the budget of runs is spent") == "the budget of runs is spent"
    assert [
        piece.quoted for text in ("@jane", "a #1", "see http://x", "a_b_c") for piece in pieces(Phrase(told(text)))
    ] == [True] * 4


@pytest.mark.parametrize("word", ["plain", "two words", "it's", "$HOME `id` $(id)", "--", "-x", "", "naïve", "a*b?"])
def test_a_shell_reads_a_word_back(word: str) -> None:
    assert shlex.split(command_line(["echo", word])) == ["echo", word]


@settings(max_examples=40, deadline=None)
@given(st.lists(ANY_TEXT.filter(lambda text: "\0" not in text and _writable(text)), min_size=1, max_size=5))
def test_bash_reads_every_word_back(words: list[str]) -> None:
    line = command_line(words)
    assert not hidden_characters(line)
    script = f"printf '%s\\0' {line}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C"})
    assert done.stdout.split(b"\0")[:-1] == [word.encode("utf-8", "surrogateescape") for word in words]


def _writable(text: str) -> bool:
    """Whether an argument of a process can hold it: lone surrogates stand for bytes only in one range."""
    try:
        return bool(text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") == text)
    except UnicodeError:
        return False
