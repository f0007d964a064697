import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.fields import command
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
