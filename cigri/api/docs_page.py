"""The page that documents this interface: HTML made here, no script, nothing from elsewhere."""

import re
import shlex
from collections.abc import Iterator
from html import escape
from typing import Any

import msgspec
from aiohttp import web

from cigri.api import query
from cigri.api.context import base
from cigri.api.openapi import DOCUMENT
from cigri.api.operation import NoOptions, operation

routes = web.RouteTableDef()

Json = dict[str, Any]

#: The types of problems beside what their status says, by what stands behind the # of the type.
KINDS = {
    "jdl": ("Invalid campaign description", "All its mistakes are listed; nothing was stored."),
    "request": ("Invalid request", "An option or a field; all are listed, nothing was changed."),
    "conflict": ("Conflict", "The state of the campaign or of the job does not allow it."),
    "admission": (
        "Admission rule error",
        "A rule of the administrators refuses the campaign: the message says whom to ask.",
    ),
    "later": ("Not implemented yet", "It comes with a later version of this server."),
}
#: The page may use the style that it brings itself, and nothing else.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { background: #8882; padding: .6rem .8rem; overflow-x: auto }
section { border-top: 1px solid #8886; margin-top: 1.5rem }
h2 { font-size: 1.05rem } h2 b { display: inline-block; min-width: 4.5rem }
table { border-collapse: collapse } td { padding: .1rem .8rem .1rem 0; vertical-align: top }
nav a { display: inline-block; margin-right: .8rem } .aside { opacity: .75 }
:root { color-scheme: light dark }
"""
_CODE = re.compile(r"`([^`]*)`")
#: What stands for the numbers and words of a path in examples.
_EXAMPLES = {"cluster": "local", "path": "results/old.txt", "service": "mail"}


@operation(routes, "GET", "/docs/api", media="text/html", scope="public")
async def page(request: web.Request) -> web.StreamResponse:
    """Show this interface as a page for people."""
    query.read(request, NoOptions)
    document = msgspec.json.decode(request.app[DOCUMENT])
    return _html("".join(_page(document, base(request))))


@operation(routes, "GET", "/docs/errors", media="text/html", scope="public")
async def errors(request: web.Request) -> web.StreamResponse:
    """Show what the types of problems mean."""
    query.read(request, NoOptions)
    return _html("".join(_errors()))


def _html(text: str) -> web.Response:
    headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
    return web.Response(text=text, headers=headers, content_type="text/html", charset="utf-8")


def _errors() -> Iterator[str]:
    yield from _head("CiGri: problems")
    for kind, (title, meaning) in KINDS.items():
        yield f"<section id='{escape(kind)}'><h2>{escape(title)}</h2><p>{escape(meaning)}</p>"
        yield "</section>"
    yield "</html>\n"


def _head(title: str) -> Iterator[str]:
    yield "<!doctype html><html lang=en><meta charset=utf-8>"
    yield "<meta name=viewport content='width=device-width'>"
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style><h1>{escape(title)}</h1>"


def _page(document: Json, base_: str) -> Iterator[str]:
    info = document["info"]
    yield from _head(f"{info['title']} {info['version']}: the REST interface")
    for paragraph in info["description"].split("\n\n"):
        yield f"<p>{_prose(paragraph)}</p>"
    yield f"<p>For programs: <a href='{escape(base_)}/openapi.json'>openapi.json</a>.</p><nav>"
    groups = dict.fromkeys(each["tags"][0] for _, _, each in _operations(document))
    yield "".join(f"<a href='#{escape(name)}'>{escape(name)}</a>" for name in groups)
    yield "</nav>"
    seen: set[str] = set()
    for path, method, each in _operations(document):
        tag = each["tags"][0]
        anchor = f" id='{escape(tag)}'" if tag not in seen else ""
        seen.add(tag)
        yield f"<section{anchor}>" + "".join(_operation(path, method, each)) + "</section>"
    yield "</html>\n"


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            yield path, method.upper(), each


def _operation(path: str, method: str, each: Json) -> Iterator[str]:
    yield f"<h2><b>{method}</b> <code>{escape(path)}</code></h2>"
    yield f"<p>{_prose(each['summary'])} {_prose(each.get('description', ''))}</p>"
    own = [one for one in each["parameters"] if one.get("in") == "query"]
    if own:
        yield "<table>"
        for one in own:
            about = one.get("description", "")
            yield f"<tr><td><code>?{escape(one['name'])}</code><td>{_prose(about)}"
        yield "</table>"
    yield f"<pre>{escape(_curl(path, method, each))}</pre>"
    yield f"<pre>{escape(_python(path, method, each))}</pre>"
    answers = ", ".join(each["responses"])
    needs = "".join(each["security"][0]["bearer"]) if each["security"] else ""
    scope = f"a token needs <code>{escape(needs)}</code>" if needs else "no credentials needed"
    yield f"<p class=aside>Answers {escape(answers)}; {scope}.</p>"


def _prose(text: str) -> str:
    """
    Return *text* as HTML, what stands in backquotes as code.

    >>> _prose("`a < b`, said")
    '<code>a &lt; b</code>, said'
    """
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _filled(path: str) -> str:
    """
    Return *path* as somebody would write it.

    >>> _filled("/campaigns/{campaign}/jobs"), _filled("/clusters/{cluster}")
    ('/campaigns/12/jobs', '/clusters/local')
    """
    parts = path.replace("}", "{").split("{")
    return "".join(
        part if place % 2 == 0 else _EXAMPLES.get(part, "12") for place, part in enumerate(parts)
    )


def _curl(path: str, method: str, each: Json) -> str:
    words = ["curl"] + ([] if method == "GET" else ["-X", method])
    body = _body(path, each)
    words += [] if body is None else ["-d", body]
    line = shlex.join(words)
    needs = "" if not each["security"] else ' -H "Authorization: Bearer $TOKEN"'
    return f'{line}{needs} "$CIGRI_URL{_filled(path)}"'


def _python(path: str, method: str, each: Json) -> str:
    body = _body(path, each)
    data = "" if body is None else f", content={body!r}"
    return f"httpx.{method.lower()}(url + {_filled(path)!r}, headers=bearer{data})"


def _body(path: str, each: Json) -> str | None:
    """Return a body that the operation takes, `None` when it takes none."""
    return _BODIES.get(path) if "requestBody" in each else None


_BODIES = {
    "/campaigns": '{"name": "n", "nb_jobs": 2, "clusters": {"local": {"exec_file": "true"}}}',
    "/campaigns/{campaign}": '{"state": "paused"}',
    "/campaigns/{campaign}/jobs": '["--seed 3", "--seed 4"]',
    "/events": '{"class": "cluster", "code": "CLUSTER_MANUALLY_DISABLED", "cluster_id": 1}',
    "/tokens": '{"cluster_id": 1, "token": "…"}',
    "/access_tokens": '{"name": "laptop", "scope": "submit"}',
}
