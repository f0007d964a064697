"""How a command and a parameter become the words of a program's argument list."""

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.clusters.worker import command_line, join_words, split_words

#: Everything that means something to a splitter, white space that means nothing, and letters.
TRICKY = st.text("ab'\"\\ \t\n\r\x0b\x0c\x1c\x85\xa0\u2028$;&é#", max_size=30)


def outcome(split, text):
    try:
        return split(text)
    except ValueError:
        return "refused"


@given(TRICKY | st.text(max_size=30))
def test_splitting_is_that_of_shlex(text):
    assert outcome(split_words, text) == outcome(shlex.split, text)


@given(st.lists(TRICKY))
def test_joined_words_are_split_into_the_same(words):
    line = join_words(words)

    assert split_words(line) == shlex.split(line) == words


def test_a_shell_splits_joined_words_into_the_same():
    words = ["", "it's", '"', "\\", "$HOME", "`id`", "a b", "*", "~", "\n", "é"]

    program = f"printf '%s\\0' {join_words(words)}"
    shown = subprocess.run(["sh", "-c", program], capture_output=True, text=True, check=True)

    assert shown.stdout.split("\0")[:-1] == words


@pytest.mark.parametrize("text", ["'", 'a "b', "a\\", "'a'b'", '"\\"'])
def test_an_open_quote_is_refused(text):
    with pytest.raises(ValueError, match="nothing closes or follows"):
        split_words(text)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("~/run.sh --fast", ["/home/ann/run.sh", "--fast"]),
        ("~", ["/home/ann"]),
        # Somebody else's home, and a tilde that does not begin a word.
        ("~bob/run a~/b", ["~bob/run", "a~/b"]),
        ("$HOME/run $HOMER ${HOME}/x", ["/home/ann/run", "$HOMER", "/home/ann/x"]),
        ("{HOME}/run-{CAMPAIGN_ID}.sh", ["/home/ann/run-12.sh"]),
        ("run '{CAMPAIGN_ID} $HOME'", ["run", "12 /home/ann"]),
        ("run {TASK} $USER `id`", ["run", "{TASK}", "$USER", "`id`"]),
        ("", []),
    ],
)
def test_macros_are_expanded_in_the_command(command, words):
    assert command_line(command, "", "/home/ann", 12) == words


def test_a_home_with_a_space_is_one_word():
    assert command_line("~/run", "", "/home/a {HOME}", 1) == ["/home/a {HOME}/run"]


@given(st.lists(TRICKY))
def test_an_array_is_taken_word_for_word(words):
    assert command_line("run -x", words, "/home/ann", 12) == ["run", "-x", *words]


def test_nothing_is_expanded_in_a_parameter():
    parameter = "~ ~/a $HOME {HOME} {CAMPAIGN_ID} *"

    assert command_line("run", parameter, "/home/ann", 12) == ["run", *parameter.split()]
