"""The fields of small requests: in the URL, as a form or as JSON, as CiGri's clients send them."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from cigri.api import body, query
from cigri.domain.report import suggestion
from cigri.errors import InvalidRequest

#: Media types that `read` understands; it looks at the text itself, not at what it is called.
ACCEPTS = ("application/json", "application/x-www-form-urlencoded")

_Fields = TypeVar("_Fields")


async def read(request: web.Request, kind: type[_Fields]) -> _Fields:
    """
    Return what the URL and the body of *request* give as a *kind*, an attrs class of texts.

    What the body says wins.

    Raises:
        InvalidRequest: A field is unknown, or not of its type; or there is none.
    """
    in_url = query.pairs(request)
    query.decode(in_url, kind)
    given = {name: text for name, text in in_url if name != query.PRETTY}
    in_body = await _in_body(request)
    for name, value in in_body.items():
        if not isinstance(value, str):
            raise InvalidRequest.at(f"/{name}", f"not a text: {value!r:.100}")
        given[name] = value
    if not given:
        known = ", ".join(query.names(kind))
        raise InvalidRequest.at("", "nothing to change", f"give one or more of {known}")
    return query.decode(given.items(), kind, place="/")


async def read_json(request: web.Request, kind: type[_Fields]) -> _Fields:
    """
    Return the JSON or form in the body of *request* as a *kind*, an attrs class.

    Raises:
        InvalidRequest: A field is unknown, missing, or not of its type.
    """
    given = await _in_body(request)
    known = query.names(kind)
    for name in given:
        if name not in known:
            raise InvalidRequest.at(f"/{name}", "unknown field", suggestion(name, known))
    try:
        # Not strict: a form has texts only, and so had what CiGri 3's clients send.
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        said, _, place = str(error).partition(" - at `$")
        pointer = place.rstrip("`").replace(".", "/")
        raise InvalidRequest.at(pointer, said.replace("`", "")) from error


async def _in_body(request: web.Request) -> Mapping[str, object]:
    text = await body.read(request, body.MAX_FIELDS)
    found = dict(_fields(text))
    found.pop(query.METHOD, None)
    return found


def _fields(text: bytes) -> Any:  # noqa: ANN401 # a dict, or pairs to make one of
    # curl calls whatever it sends a form, so the text itself says what it is.
    if not text.lstrip().startswith(b"{"):
        return form(text)
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except (ValueError, RecursionError) as error:
        raise InvalidRequest.at("", f"not JSON: {error}") from error


def form(text: bytes) -> list[tuple[str, str]]:
    """
    Return the fields of a form.

    Raises:
        InvalidRequest: There are too many for one.
    """
    try:
        return parse_qsl(
            text.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=99
        )
    except ValueError as error:
        raise InvalidRequest.at("", f"not a form: {error}") from error
