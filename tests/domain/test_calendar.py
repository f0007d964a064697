"""Day and night; the instants are written as people in Paris read them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain.calendar import Calendar, Night, is_night, mode, next_change, parse_night
from cigri.domain.model import CampaignType
from cigri.domain.report import Mistake

PARIS = ZoneInfo("Europe/Paris")
WEEK = (parse_night("19:00-08:00"), parse_night("sat-sun"))
LAB = Calendar(zone=PARIS, nights=WEEK, holidays=frozenset({date(2026, 12, 25)}))


def at(text, *, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("instant", "night"),
    [
        ("2026-06-10T07:59:59", True),  # a Wednesday
        ("2026-06-10T08:00:00", False),
        ("2026-06-10T18:59:59", False),
        ("2026-06-10T19:00:00", True),
        ("2026-06-13T12:00:00", True),  # a Saturday
        ("2026-06-15T07:00:00", True),  # the night of Sunday ends on Monday
        ("2026-06-15T08:00:00", False),
        ("2026-12-24T12:00:00", False),
        ("2026-12-25T00:00:00", True),  # Christmas, a Friday
        ("2026-12-25T12:00:00", True),
    ],
)
def test_night_is_what_the_configuration_says(instant, night):
    assert is_night(LAB, at(instant)) is night


@pytest.mark.parametrize(
    ("instant", "change"),
    [
        ("2026-06-10T12:00:00", "2026-06-10T19:00:00"),
        ("2026-06-10T19:00:00", "2026-06-11T08:00:00"),
        ("2026-06-12T18:00:00", "2026-06-12T19:00:00"),
        ("2026-06-12T19:00:00", "2026-06-15T08:00:00"),
        ("2026-12-24T20:00:00", "2026-12-28T08:00:00"),
    ],
)
def test_the_next_change_is_the_first_one(instant, change):
    assert next_change(LAB, at(instant)) == at(change)


def test_the_night_of_the_spring_change_is_an_hour_shorter():
    calendar = Calendar(zone=PARIS, nights=(parse_night("22:00-06:00"),))
    begin = at("2026-03-28T22:00:00")

    assert next_change(calendar, begin) - begin == 7 * 3600


def test_the_night_of_the_autumn_change_is_an_hour_longer():
    calendar = Calendar(zone=PARIS, nights=(parse_night("22:00-06:00"),))
    begin = at("2026-10-24T22:00:00")

    assert next_change(calendar, begin) - begin == 9 * 3600


def test_an_hour_that_the_clock_skips_is_no_night():
    calendar = Calendar(zone=PARIS, nights=(parse_night("sun 02:00-03:00"),))

    change = next_change(calendar, at("2026-03-28T12:00:00"))

    assert change == at("2026-04-05T02:00:00")


def test_a_night_may_begin_where_the_clock_jumps():
    calendar = Calendar(zone=PARIS, nights=(parse_night("sun 02:30-05:00"),))
    jump = datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()

    assert next_change(calendar, at("2026-03-29T01:30:00")) == jump
    assert not is_night(calendar, jump - 1)
    assert is_night(calendar, jump)


def test_an_hour_that_comes_twice_is_twice_a_night():
    calendar = Calendar(zone=PARIS, nights=(parse_night("02:00-02:30"),))
    twice = [at("2026-10-25T02:00:00", fold=fold) for fold in (0, 1)]

    assert [is_night(calendar, instant) for instant in twice] == [True, True]
    assert next_change(calendar, twice[0]) == twice[0] + 1800
    assert next_change(calendar, twice[0] + 1800) == twice[1]


@pytest.mark.parametrize(
    "nights", [(), (parse_night("mon-sun"),), (parse_night("00:00-24:00"),)], ids=str
)
def test_a_calendar_without_changes_has_none(nights):
    assert next_change(Calendar(zone=PARIS, nights=nights), 0.0) == float("inf")


def test_a_holiday_in_years_is_found():
    calendar = Calendar(zone=PARIS, holidays=frozenset({date(2036, 5, 1)}))

    assert next_change(calendar, at("2026-06-10T12:00:00")) == at("2036-05-01T00:00:00")
    assert next_change(calendar, at("2036-05-01T12:00:00")) == at("2036-05-02T00:00:00")


nights = st.builds(
    Night,
    days=st.frozensets(st.integers(0, 6)),
    begin=st.integers(0, 47).map(lambda half: half * 30),
    end=st.integers(0, 48).map(lambda half: half * 30),
).filter(lambda night: night.begin != night.end)
calendars = st.builds(
    Calendar,
    zone=st.sampled_from(["Europe/Paris", "Asia/Kathmandu", "America/Havana", "UTC"]).map(
        ZoneInfo
    ),
    nights=st.lists(nights, max_size=3).map(tuple),
    holidays=st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=3),
)


@given(calendars, st.integers(1_767_225_600, 1_798_761_600).map(float))
def test_nothing_changes_before_the_next_change(calendar, instant):
    now = is_night(calendar, instant)
    change = next_change(calendar, instant)

    assert change > instant
    # Days and nights begin at half hours, in these zones at quarters.
    first_quarter = (instant // 900 + 1) * 900
    quarters = [first_quarter + 900 * n for n in range(96 * 9)]
    assert next(
        (quarter for quarter in quarters if is_night(calendar, quarter) is not now), None
    ) == (change if change <= quarters[-1] else None)


@pytest.mark.parametrize(
    ("text", "night"),
    [
        ("mon-fri 19:00-07:00", Night(days=frozenset(range(5)), begin=19 * 60, end=7 * 60)),
        ("sat-sun", Night(days=frozenset({5, 6}))),
        ("Sat-Mon 8:30-24:00", Night(days=frozenset({5, 6, 0}), begin=510, end=1440)),
        ("mon,wed-thu", Night(days=frozenset({0, 2, 3}))),
        ("22:00-06:00", Night(days=frozenset(range(7)), begin=22 * 60, end=6 * 60)),
    ],
)
def test_a_night_is_some_hours_of_some_days(text, night):
    assert parse_night(text) == night


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a night"),
        ("always", "not days of the week"),
        ("mo-fr", "not days of the week"),
        ("mon-", "not days of the week"),
        ("mon-tue-wed", "not days of the week"),
        ("19-07", "not a night"),
        ("mon 19:00", "not a night"),
        ("19:60-07:00", "not a time of day"),
        ("25:00-07:00", "not a time of day"),
        ("24:01-07:00", "not a time of day"),
        ("07:00-07:00", "a night of no time"),
        ("24:00-00:00", "a night of no time"),
    ],
)
def test_what_is_no_night_is_refused(text, words):
    with pytest.raises(Mistake, match=words):
        parse_night(text)


@pytest.mark.parametrize(
    ("type_", "by_day", "by_night"),
    [
        ("best-effort", "best-effort", "best-effort"),
        ("semi-best-effort", "best-effort", "normal"),
        ("nightly", None, "normal"),
        ("normal", "normal", "normal"),
    ],
)
def test_how_each_type_of_campaign_runs(type_, by_day, by_night):
    assert mode(CampaignType(type_), night=False) == by_day
    assert mode(CampaignType(type_), night=True) == by_night
