import time

import pytest

from cigri.cli import listing
from tests.cli.test_screens import CAMPAIGN, shown

LONG = "viscosity-of-water-at-many-temperatures"


def campaign(number, name="visc", user="ann", **fields):
    now = time.time()
    forecast = {"rate": 37.7, "eta": (now + 27, now + 40)}
    more = {"id": number, "name": name, "user": user, "total_jobs": 1_000_000}
    return CAMPAIGN | {"forecast": forecast} | more | fields


def listed(*items, width):
    return shown(listing.campaigns({"items": list(items), "total": len(items)}), width)


def test_a_list_tells_what_it_hides():
    body = {"items": [CAMPAIGN], "total": 2, "finished": 5}

    text = shown(listing.campaigns(body))

    assert text[-2:] == [
        "the newest 1 of 2: --limit shows more",
        "5 finished campaigns not shown: --all",
    ]


def test_a_campaign_that_is_held_everywhere_is_not_shown_as_if_it_ran():
    reason = {"reason": "held on local: no such file"}

    assert "  held  " in listed(campaign(1, **reason), width=200)[1]
    assert "  paused  " in listed(campaign(1, state="paused", **reason), width=200)[1]


def test_a_campaign_without_an_end_has_no_total():
    _, row, *_ = listed(campaign(1, endless=True), width=120)

    assert "no end" in row
    assert "█" not in row


def test_users_show_when_there_are_several():
    assert "USER" not in listed(campaign(1), campaign(2), width=200)[0]
    assert "USER" in listed(campaign(1), campaign(2, user="bob"), width=200)[0]


def test_the_bar_gives_way_first():
    bars = {
        width: sum(sign in "█▓▒!·" for sign in listed(campaign(1), width=width)[1])
        for width in range(60, 110)
    }

    assert bars[109] == listing.WIDEST_BAR
    assert bars[60] == 0
    assert set(bars.values()) == {0, *range(len("PROGRESS"), listing.WIDEST_BAR + 1)}
    assert sorted(bars.values()) == list(bars.values())


@pytest.mark.parametrize("width", range(70, 120))
def test_only_a_long_name_is_cut_and_only_without_a_bar(width):
    head, row = listed(campaign(1234, LONG), width=width)

    cut = "PROGRESS" not in head
    assert head.split() == [
        "ID", "NAME", "STATE", *([] if cut else ["PROGRESS"]), "DONE", "TASKS", "FAILED", "RATE",
        "ETA",
    ]  # fmt: skip
    words = row.split()
    assert words[0] == "1234"
    assert words[1] == LONG or (cut and words[1].endswith("…"))
    assert words[2] == "in_treatment"
    assert "1000000" in words
    assert row.endswith(("27 … 40 s", "26 … 39 s", "27 … 39 s", "26 … 40 s"))


def test_eighty_columns_hold_what_matters_of_several_users():
    lines = listed(campaign(1234, LONG, "aurelie"), campaign(1235, "x", "bob"), width=80)

    assert len(lines) == 3
    assert all(word in lines[0] for word in ("ID", "NAME", "USER", "STATE", "DONE", "ETA"))


def test_on_the_narrowest_terminal_numbers_stay_whole():
    lines = listed(campaign(1234, LONG), width=40)

    assert lines[1].startswith("1234  viscosi…  in_treatment")
