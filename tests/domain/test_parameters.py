import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cigri.domain import parameters as module
from cigri.domain.parameters import CHUNK, MAX_PARAMETER, parameters
from cigri.errors import InvalidJdl

#: Texts made of what a careless search for the end of an element falls for.
nasty = st.text(st.sampled_from('",[]\\ \na€\U0001f600\u2028'))
texts = nasty | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
arrays = st.lists(texts | st.lists(texts, max_size=4), max_size=30)


@pytest.fixture(params=[None, 7, 50])
def slices(request, monkeypatch):
    """Cut short arrays into slices too."""
    if request.param:
        monkeypatch.setattr(module, "_SLICE", request.param)


@pytest.mark.parametrize("size", [1, 7, 50, 128_000])
@given(
    array=arrays,
    ascii_only=st.booleans(),
    separators=st.sampled_from([(",", ":"), (", ", ":"), (" ,\n", ":")]),
    around=st.sampled_from(["", " ", "\n\t"]),
)
def test_parameters_are_what_json_says(size, array, ascii_only, separators, around):
    text = json.dumps(array, ensure_ascii=ascii_only, separators=separators)
    raw = f"[{around}{text[1:-1]}{around}]".encode()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SLICE", size)
        found = everything(raw)

    assert found == [tuple(item) if isinstance(item, list) else item for item in array]


@given(st.lists(texts, max_size=20), st.data())
def test_a_broken_array_is_refused_or_read_as_json_reads_it(array, data):
    raw = json.dumps(array)
    at = data.draw(st.integers(0, len(raw) - 1))
    raw = raw[:at] + data.draw(st.sampled_from(["", ",", '"', "]", "1", "null"])) + raw[at + 1 :]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SLICE", 10)
        try:
            found = everything(raw.encode())
        except InvalidJdl:
            return

    assert found == [tuple(item) if isinstance(item, list) else item for item in json.loads(raw)]


def test_parameters_come_by_a_thousand():
    raw = json.dumps([f"{number:040}" for number in range(12_345)]).encode()

    sizes = [len(chunk) for chunk in parameters(memoryview(raw)) if chunk]

    assert sizes == [CHUNK] * 12 + [345]


def test_long_parameters_leave_time_for_a_turn_after_each_slice():
    raw = json.dumps(["x" * 100_000] * 20).encode()

    assert [len(chunk) for chunk in parameters(raw)] == [0] * 20 + [20]


def test_all_parameters_may_be_the_same():
    assert everything(b'["a", "a", ["a"], ["a"]]') == ["a", "a", ("a",), ("a",)]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 102, 200, 201, 60_000])
@pytest.mark.parametrize("white", ["", " "])
def test_an_array_has_any_number_of_words(count, white):
    words = f"{white},{white}".join(['"\\""'] * count)
    # Half an escape of NUL, so that each element is looked at.
    raw = f'["\\\\u0000", [{white}{words}{white}], "z"]'

    assert everything(raw.encode()) == ["\\u0000", ('"',) * count, "z"]
    with pytest.raises(InvalidJdl, match="/params/1: not a string or an array of strings"):
        everything(raw.replace("]", ",]", 1).encode())


@pytest.mark.parametrize("before", ["[", '["a"', '["a",', '["a", "b"'])
def test_much_white_space_leaves_time_for_turns(before):
    after = ', "z"]' if before.endswith('"') else '"z"]'
    raw = (before + " \n" * module._WIDEST + after).encode()

    chunks = list(parameters(raw))

    assert len(chunks) > 2
    assert [found for chunk in chunks for found in chunk] == list(json.loads(raw))


def test_many_suspects_are_looked_at_in_turns():
    raw = b"[" + b",".join([rb'"\\u0000"'] * 10_000) + b"]"

    sizes = [len(found) for found in module._slices(memoryview(raw))]

    assert max(sizes) == module._CLOSELY
    assert sum(sizes) == 10_000


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"[]", []),
        (b"[ \n]", []),
        (b'[""]', [""]),
        (b"[[]]", [()]),
        (b'[[], [""]]', [(), ("",)]),
        (rb'["\\u0000"]', [r"\u0000"]),
    ],
)
def test_the_smallest_arrays(raw, found):
    assert everything(raw) == found


@pytest.mark.parametrize("character", ["x", "\\u0041", "é", ","])
def test_the_longest_parameter(character):
    decoded = json.loads(f'"{character}"')
    count = MAX_PARAMETER // len(decoded.encode())
    longer, longest, word = (f'"{character * (count + more)}"' for more in (1, 0, -1))

    assert everything(f'["a", {longest}, [{word}]]'.encode())[1] == decoded * count
    for raw in (f'["a", {longer}, "b"]', f'["a", [{longest}]]'):
        with pytest.raises(InvalidJdl, match=r"/params/1: a parameter of 13000\d bytes"):
            everything(raw.encode())


@pytest.mark.parametrize(
    ("raw", "mistake"),
    [
        ("", "/params: not a JSON array"),
        ("[", "/params: not a JSON array"),
        ("]", "/params: not a JSON array"),
        ('"a"', "/params: not a JSON array"),
        ('["a"] ', "/params: not a JSON array"),
        ('["a"], "b"]', "/params/0: no comma after this element"),
        ('["a",]', "/params/1: an element is missing"),
        ('["a", ,"b"]', "/params/1: an element is missing"),
        ('[,"a"]', "/params/0: an element is missing"),
        ('["a" "b"]', "/params/0: no comma after this element"),
        ("[01]", "/params/0: malformed: invalid number"),
        ("[1, -]", "/params/1: malformed: invalid number"),
        ("[1 2]", "/params/0: no comma after this element"),
        ('["a", NaN]', "/params/1: .* not this"),
        ('["a", null]', "/params/1: .* not null"),
        ("[true]", "/params/0: .* not true"),
        ("[false]", "/params/0: .* not false"),
        ('["a", {"b": "c"}]', "/params/1: .* not an object"),
        ('["a", ["b", 1]]', "/params/1: not a string or an array of strings"),
        ('["a", ["b", ["c"]]]', "/params/1: not a string or an array of strings"),
        ('["a", ["b",]]', "/params/1: not a string or an array of strings"),
        (r'["a", "\ud800"]', "/params/1: half of a surrogate pair"),
        (r'["a", "b\u0000"]', "/params/1: a NUL character"),
        (r'["a", ["b", "\u0000"]]', "/params/1: a NUL character"),
        (r'["a", "\q"]', "/params/1: malformed: invalid escape character"),
        ('["a", "b\nc"]', "/params/1: malformed: invalid character"),
        ('["a", "' + "x" * 800_000 + '"]', "/params/1: not a string .* of at most 130000 bytes"),
        ("[" * 5000 + "]" * 5000, "/params/0: not a string or an array of strings"),
    ],
)
@pytest.mark.usefixtures("slices")
def test_the_first_wrong_element_is_named(raw, mistake):
    with pytest.raises(InvalidJdl, match=mistake):
        everything(raw.encode())


def test_what_is_no_utf8_is_named():
    with pytest.raises(InvalidJdl, match=r"/params/1: malformed: .*utf-8"):
        everything(b'["a", "\xff"]')


def test_a_wrong_element_far_in_is_named_by_its_number():
    raw = json.dumps([f"{number:040}" for number in range(9999)] + [None]).encode()

    with pytest.raises(InvalidJdl, match="/params/9999: "):
        everything(raw)


def test_numbers_are_parameters_as_they_are_usually_written():
    raw = b'[1, -3, 2.50, "a", 1e5, ["x", "y"], 12345678901234567890123]'

    found = everything(raw)

    expected = ["1", "-3", "2.5", "a", "100000.0", ("x", "y"), "12345678901234567890123"]
    assert found == expected


def test_too_many_are_refused_before_all_are_read():
    raw = json.dumps(["a"] * 3001).encode()

    assert len(everything(raw, limit=3001)) == 3001
    with pytest.raises(InvalidJdl, match="/params: more than 3000 tasks"):
        everything(raw, limit=3000)


def everything(raw, limit=None):
    return [parameter for chunk in parameters(raw, limit=limit) for parameter in chunk]
