import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.commands import command, variable
from cigri.domain.report import Mistake


@given(st.text(st.sampled_from("ab '\"\\")))
def test_a_command_is_refused_when_its_words_cannot_be_told(text):
    try:
        shlex.split(text)
    except ValueError:
        with pytest.raises(Mistake, match="not closed"):
            command(text)
    else:
        assert command(text) == text


@pytest.mark.parametrize(
    "text",
    ["a '", 'a "', "a \\", "a 'b' \"c' d", "a 'b\\' c'", '"' + "\\'" * 15_000, "x" * 31_000 + "'"],
)
def test_a_quote_that_is_not_closed_is_refused(text):
    with pytest.raises(Mistake, match="a quote is not closed, or a backslash ends the text"):
        command(text)


@given(st.text(st.sampled_from("ab |&;<>2'\"")))
def test_what_only_a_shell_understands_may_be_quoted(text):
    quoted = f"run {shlex.quote(text)}"

    assert command(quoted) == quoted


@pytest.mark.parametrize(
    "text", ["a | b", "a >b", "a 2>> b", "a < b", "a && b", "a &", "a ; b", "a; b"]
)
def test_what_only_a_shell_understands_is_refused(text):
    with pytest.raises(Mistake, match="no shell"):
        command(text)


@pytest.mark.parametrize(
    ("given_", "found"),
    [
        ("run.sh $DATA", "$DATA"),
        ("run.sh $HOME/x", None),
        ("run.sh $CIGRI_CAMPAIGN_ID", None),
        ("run.sh $CIGRI_CAMPAIGN_IDS", "$CIGRI_CAMPAIGN_IDS"),
        ("run.sh `date`", "`"),
        ("bash script.sh $DATA", "$DATA"),
        # A shell of the user's own reads what it is given.
        ("sh -c 'echo $(date) $0'", None),
        ('/bin/bash -e -uc "echo $1"', None),
    ],
)
def test_what_only_a_shell_would_replace_is_found(given_: str, found: str | None) -> None:
    assert variable(given_) == found
