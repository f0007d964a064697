"""A long listing is read while it arrives, whatever its layout and wherever it is cut."""

import json
import random

import msgspec
import pytest

from cigri.clusters.oar import rows as oar_rows
from cigri.clusters.oar.rows import Rows


class Row(msgspec.Struct):
    id: int
    said: str = ""


class Listing(msgspec.Struct):
    total: int
    items: list[Row] = []


def listed(count, **how):
    rows = [
        {"id": number, "links": [{"rel": "self"}, {"rel": "jobs"}], "said": '{"\n   ]\n      },'}
        for number in range(count)
    ]
    around = {"links": [{"rel": "self"}, {"rel": "next"}], "total": count}
    return {**around, "items": rows} if how.get("last") else {"items": rows, **around}


def read(data, piece):
    rows = Rows(Row, most=10_000_000)
    for begin in range(0, len(data), piece):
        rows.feed(data[begin : begin + piece])
    rest = msgspec.json.decode(rows.rest, type=Listing)
    return [row.id for row in [*rows.taken, *rest.items]], len(rows.taken), rest.total


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 57])
@pytest.mark.parametrize("piece", [1, 7, 100, 1_000_000])
def test_every_row_is_read_once_wherever_the_listing_is_cut(monkeypatch, last, count, piece):
    monkeypatch.setattr(oar_rows, "_ENOUGH", 64)
    text = json.dumps(listed(count, last=last), indent=3, separators=(",", " : "))

    ids, _, total = read(text.encode(), piece)

    assert (ids, total) == (list(range(count)), count)


def test_little_is_held(monkeypatch):
    monkeypatch.setattr(oar_rows, "_ENOUGH", 1000)
    text = json.dumps(listed(200), indent=3, separators=(",", " : "))

    _, taken, _ = read(text.encode(), 100)

    assert taken > 190


@pytest.mark.parametrize("layout", [{}, {"indent": 2}, {"indent": 3}])
def test_another_layout_is_read_whole(monkeypatch, layout):
    monkeypatch.setattr(oar_rows, "_ENOUGH", 64)

    ids, _, _ = read(json.dumps(listed(9), **layout).encode(), 50)

    assert ids == list(range(9))


def test_text_in_latin_1_is_read(monkeypatch):
    monkeypatch.setattr(oar_rows, "_ENOUGH", 64)
    rows = listed(random.Random(1).randint(20, 30))
    for row in rows["items"]:
        row["said"] = "café"
    text = json.dumps(rows, indent=3, separators=(",", " : "), ensure_ascii=False)
    reader = Rows(Row, most=10_000_000)

    reader.feed(text.encode("latin-1"))

    assert {row.said for row in reader.taken} == {"café"}


def test_what_is_no_json_is_an_error(monkeypatch):
    monkeypatch.setattr(oar_rows, "_ENOUGH", 10)
    text = '{\n   "items" : [\n      {\n         oops\n      },\n      {'

    with pytest.raises(ValueError, match="malformed"):
        Rows(Row, most=10_000_000).feed(text.encode())
