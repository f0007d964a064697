import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.cli.selectors import LONGEST, BadSelector, Numbers, is_plain, parse

NUMBER = st.integers(0, 10**18 - 1)
RANGE = st.builds(Numbers, NUMBER, st.integers(1, LONGEST - 1)).map(
    lambda found: Numbers(found.first, min(found.first + found.last, 10**18 - 1))
)
PART = st.one_of(st.just("last"), st.just("all"), NUMBER.map(lambda n: Numbers(n, n)), RANGE)


def written(part):
    if isinstance(part, str):
        return part
    return str(part.first) if part.single else f"{part.first}-{part.last}"


@given(st.lists(PART, min_size=1))
def test_what_is_written_is_read_again(parts):
    assert parse(",".join(map(written, parts))) == tuple(parts)


@given(st.text())
def test_any_other_text_is_refused_with_a_reason(text):
    reason = None
    try:
        parts = parse(text)
    except BadSelector as error:
        reason, parts = str(error), ()

    assert bool(parts) or " campaign" in reason
    assert not parts or parts == parse(",".join(map(written, parts)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'' is no campaign: give numbers as in `12` or `1,3,5-8`, `last` or `all`"),
        ("twelve", "'twelve' is no campaign"),
        ("1,x", "'x' in '1,x' is no campaign"),
        ("1,,2", "'' in '1,,2' is no campaign"),
        ("-3", "'-3' is no campaign"),
        ("3-", "'3-' is no campaign"),
        ("1-2-3", "'1-2-3' is no campaign"),
        ("١٢", "is no campaign"),
        ("1.5", "'1.5' is no campaign"),
        ("LAST", "'LAST' is no campaign"),
        ("8-5", "'8-5' names no campaign: write 5-8 if you mean those"),
        ("1-1001", "'1-1001' names more than 1000 campaigns: take fewer at a time"),
        ("9" * 19, "its number is too long"),
    ],
)
def test_a_bad_selector_is_told(text, reason):
    with pytest.raises(BadSelector) as caught:
        parse(text)

    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("12", True), ("last", True), ("7-7", True), ("all", False), ("1-2", False), ("1,2", False)],
)
def test_some_selectors_name_no_more_than_one_campaign(text, plain):
    assert is_plain(parse(text)) is plain
