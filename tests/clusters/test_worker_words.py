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
        # As people wrote it who had to get past another shell first.
        (r"\$HOME/run \{HOME}/x", ["/home/ann/run", "/home/ann/x"]),
        (r'"\$HOME/run" "\$CIGRI_CAMPAIGN_ID"', ["/home/ann/run", "12"]),
        (r'"\$USER"', ["$USER"]),
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


@pytest.mark.parametrize(
    ("command", "parameter", "template", "words"),
    [
        ("run", "1 2", None, ["run", "1", "2"]),
        ("run -t {T}", "1 2", None, ["run", "-t", "1", "2"]),
        ("run out-{T}-{L}.txt {T}", "1 2", None, ["run", "out-1-2.txt", "1"]),
        ("run", "1 2", "--temp {T}K --size={L}", ["run", "--temp", "1K", "--size=2"]),
        ("run {L}", "1 2", "--temp {T}", ["run", "2", "--temp", "1"]),
        ("run", "1 2", "", ["run"]),
        # A value is never split again, nor looked at for macros or names.
        ("run a{T}", ["x y; $HOME {L} ~", "2"], None, ["run", "ax y; $HOME {L} ~", "2"]),
        ("run", ["x y {L}", "2"], "'{T} z'", ["run", "x y {L} z"]),
        # What has no name is left as it is, or comes last.
        ("run {X} {HOME}", "1 2", None, ["run", "{X}", "/home/ann", "1", "2"]),
        ("run {T}", "1 2 3", None, ["run", "1", "2", "3"]),
        ("run", "1 2 3", "{L}", ["run", "2", "3"]),
        ("sh -c 'echo ${T}' {L}", "1 2", None, ["sh", "-c", "echo ${T}", "2", "1"]),
        # The program itself may be named so.
        ("./sim-{T}", "1 2", None, ["./sim-1", "2"]),
    ],
)
def test_names_stand_for_the_words_of_a_parameter(command, parameter, template, words):
    line = command_line(command, parameter, "/home/ann", 12, ["T", "L"], template)

    assert line == words


def test_a_parameter_with_too_few_words_for_the_names_is_refused():
    with pytest.raises(ValueError, match="1 words for the names T, L"):
        command_line("run {T}", "1", "/home/ann", 12, ["T", "L"])


@given(st.lists(TRICKY, min_size=2, max_size=2))
def test_nothing_in_a_value_makes_another_word(values):
    assert command_line("run {A} -x{B}", values, "/h", 1, ["A", "B"]) == [
        "run",
        values[0],
        f"-x{values[1]}",
    ]
