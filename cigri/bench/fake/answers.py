"""Requests to the fake OAR and its answers, without the network."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import attrs

from cigri.bench.fake.cluster import Cluster
from cigri.bench.fake.render import listing, page

_JSON = "application/json; charset=ISO-8859-1"
OCTETS = "application/octet-stream"
_Item = TypeVar("_Item")


@attrs.frozen(kw_only=True)
class Call:
    """A request, below the place where the interface is mounted."""

    method: str
    #: Without its query.
    path: str
    query: str = ""
    #: As the web server names the user, which OAR then cuts.
    user: str = ""
    accept: str = "application/json"
    content_type: str = ""
    body: bytes = b""
    #: Where it is mounted.
    base: str = "/oarapi"

    @property
    def asked(self) -> dict[str, str]:
        """Return the parameters of the query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@attrs.frozen(kw_only=True)
class Answer:
    """What is answered."""

    code: int = 200
    body: bytes = b""
    content_type: str = _JSON
    #: How many jobs it was about.
    jobs: int = 0


def refusal(code: int, title: str, message: str) -> Answer:
    """Return an error as OAR words it."""
    return Answer(code=code, body=page({"code": code, "title": title, "message": message}))


def html(code: int, title: str) -> Answer:
    """Return an error as the web server before OAR words it."""
    text = (
        '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n'
        f"<title>{code} {title}</title>\n</head><body>\n<h1>{title}</h1>\n</body></html>\n"
    )
    return Answer(code=code, body=text.encode(), content_type="text/html; charset=iso-8859-1")


def one_page(cluster: Cluster, **more: Any) -> Answer:  # noqa: ANN401 # JSON
    """Return a page about one thing."""
    return Answer(body=page({"api_timestamp": int(cluster.now()), **more}))


def row(record: Mapping[str, Any]) -> str:
    """Return one item of a list."""
    text = json.dumps(record, indent=3, separators=(",", " : "), ensure_ascii=False)
    return "      " + text.replace("\n", "\n      ")


def many(
    call: Call,
    cluster: Cluster,
    items: Sequence[_Item],
    lay_out: Callable[[_Item], str],
    *,
    zero_is_none: bool = False,
) -> Answer:
    """Return the page of a list that *call* asks for; a limit that is no number shows nothing."""
    asked = call.asked
    wanted = asked.get("limit", str(cluster.options.default_limit)), asked.get("offset", "0")
    limit, offset = map(int, wanted) if all(map(str.isdigit, wanted)) else (0, len(items))
    end = offset + limit if limit or zero_is_none else len(items)
    texts = [lay_out(item) for item in items[offset:end]]
    body = listing(
        texts,
        total=len(items),
        offset=0 if offset == len(items) else offset,
        links=_links(call, limit=limit, offset=offset, total=len(items)),
        now=int(cluster.now()),
    )
    return Answer(body=body, jobs=len(texts))


def _links(call: Call, *, limit: int, offset: int, total: int) -> list[dict[str, str]]:
    """Return the links to this page and those around it, which keep the query."""
    asked = {name: value for name, value in call.asked.items() if name != "offset"}

    def link(rel: str, to: int | None) -> dict[str, str]:
        query = urlencode(asked if to is None else {**asked, "offset": str(to)})
        return {"rel": rel, "href": f"{call.base}{call.path}?{query}"}

    links = [link("self", offset if limit else None)]
    if limit and offset + limit < total:
        links.append(link("next", offset + limit))
    if limit and offset:
        links.append(link("previous", max(0, offset - limit)))
    return links
