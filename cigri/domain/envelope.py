"""A large JDL, taken apart into its parameters, which stay text, and the small rest."""

import re
from itertools import islice

import msgspec

from cigri.errors import InvalidJdl

#: Bytes of a JDL, or of what is left of it without its parameters, that are read in one go.
SMALL = 64 * 1024

_BOM = b"\xef\xbb\xbf"
_KEY = re.compile(rb'"params"\s*:\s*')
#: How many keys named `params` are looked at, at any depth; an honest text has one.
_LOOKED_AT = 16
#: The decoder's messages.
_PLACE = re.compile(r"JSON is malformed: (.*) \(byte (\d+)\)")
#: Takes the place of the array: no other value of the rest can be mistaken for it.
_MARK = b"0"


class _Envelope(msgspec.Struct):
    params: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_decode = msgspec.json.Decoder(_Envelope).decode


def separate(text: bytes) -> tuple[bytes, memoryview | None]:
    """
    Return a JDL without its parameters, and those as a view of the text.

    A small text comes back as it is, with `None`: reading all of it costs nothing.

    Raises:
        InvalidJdl: A large text is not JSON, or large for another reason than its parameters.
    """
    if len(text) <= SMALL:
        return text, None
    text = text.removeprefix(_BOM)
    array = _params(text)
    rest = len(text) - (0 if array is None else len(memoryview(array)))
    if array is None or rest > SMALL:
        detail = f"a description of {rest} bytes beside its params: the limit is {SMALL}"
        raise InvalidJdl.at("", detail, 'only "params" (in lower case) may be longer')
    return _cut(text, array)


def _params(text: bytes) -> msgspec.Raw | None:
    """Return the value of the key `params`, the last one if there are several."""
    try:
        found = _decode(text).params
    except msgspec.ValidationError:
        raise InvalidJdl.at("", "the description is not a JSON object") from None
    except msgspec.DecodeError as error:
        raise _malformed(text, str(error)) from None
    except RecursionError:
        raise InvalidJdl.at("", "the text is nested too deeply") from None
    return found if isinstance(found, msgspec.Raw) else None


def _malformed(text: bytes, why: str) -> InvalidJdl:
    place = _PLACE.fullmatch(why)
    if not place:  # the decoder calls half a surrogate pair a truncated text
        return InvalidJdl.at("", "the text is cut off, or has half of a surrogate pair")
    at = int(place[2])
    line, column = text.count(b"\n", 0, at) + 1, at - text.rfind(b"\n", 0, at)
    return InvalidJdl.at("", f"not JSON at line {line}, column {column}: {place[1]}")


def _cut(text: bytes, array: msgspec.Raw) -> tuple[bytes, memoryview]:
    """
    Find where in *text* the value of its `params` stands.

    The decoder does not tell: so each key of that name that is followed by the same value is
    tried, until one is found whose value, replaced, is replaced for the decoder too.
    """
    whole = memoryview(text)
    for key in islice(_KEY.finditer(text, 0, SMALL), _LOOKED_AT):
        begin, end = key.end(), key.end() + len(memoryview(array))
        if text.startswith(array, begin):
            rest = text[:begin] + _MARK + text[end:]
            replaced = _params(rest)
            if replaced is not None and bytes(replaced) == _MARK:
                return text[:begin] + b"[]" + text[end:], whole[begin:end]
    raise InvalidJdl.at("/params", "the parameters cannot be told from the rest of the text")
