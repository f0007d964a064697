"""What the server believes of a journal, which is its user's to write."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.clusters import journal
from cigri.clusters.driver import RemoteState
from cigri.domain.model import TaskNumber
from cigri.domain.verdict import Ending, TaskEnd

LIFE = """\
B 4711 1000.000
S 3 1 0 1000.100 0 0
S 4 1 1 1000.200 0 0
E 3 1 0 0 - 1000.100 1001.500 0 12 0 0
S 5 1 0 1001.600 12 0
E 4 1 1 -15 walltime 1000.200 1003.000 0 5 0 80
N 5 1 2 /no/such/program: No such file or directory
S 6 1 0 1004.000 12 0
E 6 1 0 -9 killed 1004.000 1005.000 12 12 0 0
S 7 1 0 1006.000 12 0
N 7 1 22 nothing closes or follows the ' at 3
X 1006.000 refused
"""


def test_a_journal_tells_how_each_task_ended():
    news = journal.read(LIFE.encode(), {}, 0)

    assert news.ended == [
        TaskEnd(TaskNumber(3), Ending.EXITED, 0, 1000.1, 1001.5),
        TaskEnd(TaskNumber(4), Ending.WALLTIME, -15, 1000.2, 1003.0),
        TaskEnd(
            TaskNumber(5),
            Ending.NOT_STARTED,
            None,
            1001.6,
            1001.6,
            "/no/such/program: No such file or directory",
        ),
        TaskEnd(TaskNumber(6), Ending.KILLED, -9, 1004.0, 1005.0),
        TaskEnd(
            TaskNumber(7),
            Ending.UNUSABLE,
            None,
            1006.0,
            1006.0,
            "nothing closes or follows the ' at 3",
        ),
    ]
    assert news.running == {}
    assert news.over is RemoteState.ENDED
    assert news.read_to == len(LIFE)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("done", RemoteState.ENDED),
        ("withdrawn", RemoteState.ENDED),
        ("refused", RemoteState.ENDED),
        ("killed", RemoteState.KILLED),
        ("lost", RemoteState.LOST),
        # A later worker's word: whatever it means, what has not ended runs again.
        ("evaporated", RemoteState.LOST),
    ],
)
def test_how_a_group_is_over(reason, state):
    assert journal.read(f"X 1006.000 {reason}\n".encode(), {}, 0).report().state is state


def test_a_group_waits_until_its_worker_has_begun():
    nothing = journal.read(b"", {}, 0)
    begun = journal.read(b"B 4711 1000.000\n", {}, 0)
    later = journal.read(b"", {}, begun.read_to)

    states = [news.report().state for news in (nothing, begun, later)]

    assert states == [RemoteState.WAITING, RemoteState.RUNNING, RemoteState.RUNNING]


def test_half_a_line_is_read_when_the_rest_has_come():
    half = LIFE.encode()[: LIFE.index("E 3") + 9]

    news = journal.read(half, {}, 0)

    assert news.ended == []
    assert news.running == {3: 1000.1, 4: 1000.2}
    assert half[news.read_to :] == b"E 3 1 0 0"


@st.composite
def lives(draw):
    """Return the journal of some group, as an honest worker writes it."""
    tasks = draw(st.lists(st.integers(0, 2_000), unique=True, max_size=8))
    todo, running, clock = list(tasks), [], 1000.0
    lines = ["B 4711 1000.000"]
    while todo or running:
        clock += draw(st.floats(0, 10))
        if todo and (not running or draw(st.booleans())):
            running.append(todo.pop())
            lines.append(f"S {running[-1]} 1 0 {clock:.3f} 0 0")
            continue
        task = running.pop(draw(st.integers(0, len(running) - 1)))
        status = draw(st.integers(-64, 255))
        flag = draw(st.sampled_from(["-", "walltime", "killed"]))
        lines.append(
            draw(
                st.sampled_from(
                    [
                        f"E {task} 1 0 {status} {flag} 1000.000 {clock:.3f} 0 0 0 0",
                        f"N {task} 1 2 /né: No such file",
                    ]
                )
            )
        )
    if draw(st.booleans()):
        lines.append(f"X {clock:.3f} done")
    return "".join(f"{line}\n" for line in lines).encode()


#: What a field of a forged line may be.
fields = st.sampled_from(
    [
        *("0", "1", "7", "7.5", "-1", "+7", "1_0", "\u0667", "9" * 30, "9" * 5000),
        *("1e400", "nan", "-inf", "-", "walltime", "é", "", "\t7", "\0"),
    ]
)
forged = st.builds(
    lambda kind, rest: " ".join([kind, *rest]).encode(),
    st.sampled_from(["B", "S", "E", "N", "X", "", "Q"]),
    st.lists(fields, max_size=13),
)
starts = st.builds(
    lambda task, at, out: f"S {task} 1 0 {at} {out} 0".encode(), fields, fields, fields
)
ends = st.builds(
    lambda task, status, at, out: f"E {task} 1 0 {status} - {at} {at} 0 {out} 0 9".encode(),
    *(fields, fields, fields, fields),
)
hostile = st.one_of(
    st.lists(st.one_of(starts, ends, forged, st.binary(max_size=20)), max_size=12).map(b"\n".join),
    st.binary(max_size=300),
    st.builds(lambda life, junk: life + junk, lives(), st.binary(max_size=60)),
)
cuts = st.lists(st.integers(0, 400), max_size=6)


def in_pieces(text, cuts):
    """Read a journal while it grows; return what all looks told together."""
    running, read_to, over = {}, 0, None
    ended = []
    for cut in [*sorted(cuts), len(text)]:
        news = journal.read(text[read_to:cut], running, read_to)
        running, read_to, over = news.running, news.read_to, news.over or over
        ended += news.ended
    return ended, running, over, read_to


@given(st.one_of(lives(), hostile), cuts)
def test_a_journal_read_in_pieces_says_the_same_as_at_once(text, cuts):
    whole = journal.read(text, {}, 0)

    assert in_pieces(text, cuts) == (whole.ended, whole.running, whole.over, whole.read_to)


@given(lives())
def test_an_honest_journal_accounts_for_every_start(text):
    news = journal.read(text, {}, 0)

    started = [int(line.split()[1]) for line in text.splitlines() if line.startswith(b"S")]
    assert sorted([*(end.task for end in news.ended), *news.running]) == sorted(started)
    assert news.read_to == len(text)


@given(hostile, st.dictionaries(st.integers(0, 9), st.floats(0, 1e9), max_size=3))
def test_a_hostile_journal_tells_no_end_without_its_start(text, running):
    news = journal.read(text, running, 0)

    started = {int(task) for task in running}
    for line in text.decode("utf-8", "replace").split("\n"):
        words = line.split(" ")
        if words[0] == "S" and len(words) > 1 and len(words[1]) < 100:
            try:
                started.add(int(words[1]))
            except ValueError:
                continue
    assert {end.task for end in news.ended} | news.running.keys() <= started
    assert 0 <= news.read_to <= len(text)


@given(hostile)
def test_the_times_that_a_hostile_journal_tells_are_numbers(text):
    news = journal.read(text, {}, 0)

    times = [*news.running.values(), *(time for end in news.ended for time in end[3:5])]
    assert all(math.isfinite(time) for time in times)


@given(st.lists(st.one_of(starts, ends)).map(b"\n".join), st.sampled_from([0, 1, 7]))
def test_of_a_hostile_journal_only_numbers_tell_where_output_lies(text, task):
    found = journal.extents(text, {task}).get(task)

    if found is not None:
        places = [place for place in (*found.out, *found.err) if place is not None]
        assert all(isinstance(number, int) for number in (found.slot, *places))


@pytest.mark.parametrize(
    "line",
    [
        "E 3 1 0 0 - nan 1001.000 0 0 0 0",
        "E 3 1 0 zero - 1000.000 1001.000 0 0 0 0",
        "E 3 1 0 0 vanished 1000.000 1001.000 0 0 0 0",
        "E 3 1 0 0 -",
        # The end of another task, which has not started.
        "E 4 1 0 0 - 1000.000 1001.000 0 0 0 0",
        "N 4 1 2 no such file",
        "N 3 1 ENOENT no such file",
    ],
)
def test_a_task_whose_end_makes_no_sense_still_runs(line):
    news = journal.read(f"S 3 1 0 1000.000 0 0\n{line}\n".encode(), {}, 0)

    assert news.ended == []
    assert news.running == {3: 1000.0}


@pytest.mark.parametrize(
    ("task", "out", "err"),
    [(3, (0, 12), (0, 0)), (4, (0, 5), (0, 80)), (5, (12, 12), (0, 0)), (9, None, None)],
)
def test_where_the_output_of_a_task_lies(task, out, err):
    found = journal.extents(LIFE.encode(), {task}).get(task)

    assert (found and (found.out, found.err)) == (out and (out, err))
