import pytest

from cigri.cli import clusters
from tests.cli.test_screens import shown

CLUSTER = {
    "id": 1,
    "name": "dahu",
    "driver": "local",
    "slots": 10,
    "busy": 5,
    "blacklisted": False,
    "blacklist_reason": None,
}
HELD = {"blacklisted": True, "blacklist_reason": "no answer"}


def listed(*items, room=80, plain=False):
    return shown(clusters.screen({"items": list(items)}, room, plain), room)


def test_a_bar_shows_what_is_used_and_what_is_free():
    bar, _, legend = listed(CLUSTER | {"used_by_others": 2, "down": 1})

    name, drawn, numbers, state = bar.split()
    assert (name, numbers, state) == ("dahu", "5/10", "ok")
    assert drawn == "x" * 4 + "▒" * 9 + "█" * 22 + "·" * 9
    assert legend == "x down   ▒ used by others   █ used by CiGri   · free"


def test_what_no_cluster_tells_has_no_sign():
    *_, legend = listed(CLUSTER)

    assert legend == "x down   █ used by CiGri   · free"


def test_in_ascii_the_signs_are_told_apart_too():
    bar, _, legend = listed(CLUSTER | {"used_by_others": 2, "down": 1}, plain=True)

    assert "-" * 9 + "#" * 22 + "." * 8 in bar
    assert (bar + legend).isascii()


def test_a_held_cluster_is_down_and_says_why_and_when_it_is_tried_again():
    bar, *_ = listed(CLUSTER | HELD | {"busy": 0, "next_try": 0.0}, room=120)

    assert "x" * 44 in bar
    assert bar.endswith("0/10  held: no answer, next try 1970-01-01")


@pytest.mark.parametrize(
    ("stress", "told"),
    [
        ({"stress_factor": 0.93, "under_stress": True}, "stress 0.93"),
        ({"stress_factor": "0.5/0.8", "under_stress": False}, "ok, stress 0.5/0.8"),
        ({"stress_factor": "0.42/-", "under_stress": False}, "ok, stress 0.42"),
        ({"stress_factor": 0.0, "under_stress": False}, "ok"),
        ({"stress_factor": "0.0/0.8", "under_stress": False}, "ok"),
        ({"stress_factor": None}, "ok"),
        ({}, "ok"),
    ],
)
def test_stress_is_told_when_there_is_some(stress, told):
    assert listed(CLUSTER | stress)[0].endswith(f"5/10  {told}")


def test_bars_and_numbers_stand_below_each_other():
    short, long, *_ = listed(
        CLUSTER, CLUSTER | {"name": "a-long-name", "slots": 1000, "busy": 1000}
    )

    assert short.index("█") == long.index("█")
    assert short.index("  ok") == long.index("  ok")


def test_more_than_there_are_slots_breaks_no_bar():
    assert "█" * 44 in listed(CLUSTER | {"slots": 4, "busy": 5})[0]
    assert "0/0" in listed(CLUSTER | {"slots": 0, "busy": 0})[0]


def test_no_cluster():
    assert listed() == ["no cluster: the server's configuration names none"]


def test_the_details_of_one_count_each_part():
    head, bar, numbers, rest = shown(clusters.details(CLUSTER, 80, plain=False))

    assert head == "dahu  ok"
    assert len(bar) == 44
    assert numbers == "10 slots: down 0  used by others not known  used by CiGri 5  free 5"
    assert rest == "driver local, id 1"


def test_names_and_reasons_cannot_write_on_the_terminal():
    hostile = CLUSTER | HELD | {"name": "\x1b[2J", "blacklist_reason": "\x07"}

    assert "\x1b" not in "".join(listed(hostile))
    assert "\x07" not in "".join(listed(hostile))
