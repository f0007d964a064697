"""The OpenAPI 3.1 document, made of what the operations promise and of the classes they use."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import attrs
import msgspec
from aiohttp import hdrs, web

from cigri.api import answers, fields, jdl_schema, query
from cigri.api.operation import NoOptions, Operation, Scope, operation
from cigri.api.wire import ProblemDocument

routes = web.RouteTableDef()

Json = dict[str, Any]

#: The document as it is served; it never changes while the server runs.
DOCUMENT = web.AppKey("DOCUMENT", bytes)

_PROBLEM = "application/problem+json"
_JSON = "application/json"
_REF = "#/components/schemas/{name}"
_INFO = """\
What this project calls a task is a job here, and what is on hold is blacklisted: the words are
those of CiGri 3, and so are its paths and fields.

On the Unix socket the kernel says who asks. Over TCP a bearer token does.
Every path also works with a slash at its end, and every answer is pretty with `?pretty`.
An option or a field that a path does not know is refused."""

#: What may be wrong with any request, with one by somebody, with one that changes something, and
#: with one that has a body.
_ANY = (400, 403)
_KNOWN = (401,)
_CHANGING = (507,)
_WITH_BODY = (408, 413, 415, 417)
#: And with one that may be sent again under the same key.
_ONCE = (409, 422)
_NOT_MODIFIED = 304


@operation(routes, "GET", "/openapi.json", answer=dict[str, Any], scope="public")
async def described(request: web.Request) -> web.StreamResponse:
    """Describe this interface in OpenAPI 3.1."""
    query.read(request, NoOptions)
    body = request.app[DOCUMENT]
    if answers.wants_pretty(request):
        body = msgspec.json.format(body, indent=2)
    return web.Response(body=body + b"\n", content_type=_JSON)


def document(known: Iterable[Operation]) -> Json:
    """Return the document of the *known* operations."""
    operations = list(known)
    classes = _Classes(operations)
    paths: dict[str, Json] = {}
    for each in operations:
        path = _PARAMETER.sub(r"{\1}", each.path)
        paths.setdefault(path, {})[each.method.lower()] = _operation(each, classes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CiGri",
            "version": version("cigri").partition("+")[0],
            "description": _INFO,
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        # Where the document itself is, wherever a proxy shows it.
        "servers": [{"url": "./"}],
        "paths": paths,
        "components": {
            "schemas": {**classes.components, **jdl_schema.COMPONENTS},
            "parameters": {"pretty": _PRETTY, "idempotency": _IDEMPOTENCY},
            "responses": {str(status): _problem(status) for status in _statuses(operations)},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by `cigri token create`; not needed on the Unix socket.",
                }
            },
        },
    }


_PARAMETER = re.compile(r"\{(\w+)(?::[^}]*)?\}")

_PRETTY: Json = {
    "name": query.PRETTY,
    "in": "query",
    "description": "answer for human eyes, unless it is `false`",
    "allowEmptyValue": True,
    "schema": {"type": "string"},
}
_IDEMPOTENCY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "a word of your own: the request is carried out once, however often it is sent",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}


class _Classes:
    """The schemas of the classes that operations use."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        wanted: list[Any] = [ProblemDocument]
        for each in operations:
            wanted += [kind for _, kind in _good(each) if kind is not None]
            wanted += [] if each.body is None or isinstance(each.body, dict) else [each.body]
            wanted += [field.type for field in attrs.fields(each.options)]
        # By their texts: not all types can be told apart by a set.
        self._wanted = list({repr(kind): kind for kind in wanted}.values())
        found, self.components = msgspec.json.schema_components(self._wanted, ref_template=_REF)
        self._schemas = dict(zip(map(repr, self._wanted), found, strict=True))

    def schema(self, kind: Any) -> Json:  # noqa: ANN401 # whatever msgspec has a schema for
        """Return the schema of *kind*, or *kind* itself when it is one."""
        return kind if isinstance(kind, dict) else dict(self._schemas[repr(kind)])


def _good(operation: Operation) -> list[tuple[int, Any]]:
    usual = [] if operation.status is None else [(operation.status, operation.answer)]
    return [*usual, *operation.answers]


def _operation(each: Operation, classes: _Classes) -> Json:
    found: Json = {"operationId": each.name, "tags": [_tag(each.path)]}
    found |= {"summary": each.summary}
    if each.description:
        found |= {"description": each.description}
    found |= {"parameters": _parameters(each, classes)}
    if each.body is not None:
        found |= {"requestBody": _body(each, classes)}
    found |= {"responses": _responses(each, classes)}
    public = each.scope is Scope.PUBLIC
    return found | {"security": [] if public else [{"bearer": [each.scope.value]}, {}]}


def _tag(path: str) -> str:
    first = path.split("/")[1]
    return first if first.isidentifier() and first != "docs" else "about"


def _parameters(each: Operation, classes: _Classes) -> list[Json]:
    found = [_in_path(name) for name in _PARAMETER.findall(each.path)]
    fields = attrs.fields(each.options)
    found += [_in_query(field, classes.schema(field.type)) for field in fields]
    found.append({"$ref": "#/components/parameters/pretty"})
    if each.method == hdrs.METH_POST:
        found.append({"$ref": "#/components/parameters/idempotency"})
    return found


def _in_path(name: str) -> Json:
    number = {"type": "integer", "minimum": 1}
    schema = {"type": "string", "minLength": 1} if name in _TEXTS else number
    return {"name": name, "in": "path", "required": True, "schema": schema}


#: What in a path is no number.
_TEXTS = frozenset({"cluster", "path", "service"})


def _in_query(field: "attrs.Attribute[Any]", schema: Json) -> Json:
    found: Json = {"name": field.name.rstrip("_"), "in": "query"}
    schema = _without_null(schema)
    if "description" in schema:
        found["description"] = schema.pop("description")
    if schema.get("type") == "array":
        found |= {"style": "form", "explode": False}
    if schema.get("type") == "boolean":
        found["allowEmptyValue"] = True
    if field.default is attrs.NOTHING:
        found["required"] = True
    elif field.default not in (None, ()):
        schema["default"] = msgspec.to_builtins(field.default)
    return found | {"schema": schema}


def _without_null(schema: Json) -> Json:
    """Return *schema* without the null that stands for an option that is not there."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return dict(choices[0]) if len(choices) == 1 else schema


def _body(each: Operation, classes: _Classes) -> Json:
    schema = classes.schema(each.body)
    content = {
        media: {"schema": schema if media in fields.ACCEPTS else {"type": "string"}}
        for media in each.accepts
    }
    # What may stand in the URL as well need not stand in the body.
    return {"content": content, "required": each.options is not each.body}


def _responses(each: Operation, classes: _Classes) -> Json:
    found: Json = {}
    for status, kind in _good(each):
        content = {
            media: {"schema": classes.schema(kind) if _is_json(media, kind) else _text(media)}
            for media in each.media
        }
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    for status in _wrong(each):
        found[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return found


def _is_json(media: str, kind: object) -> bool:
    return media == _JSON and kind is not None


def _text(media: str) -> Json:
    return {"type": "object"} if media == _JSON else {"type": "string"}


def _wrong(each: Operation) -> list[int]:
    """Return what else may be answered."""
    found = {*_ANY, *each.errors}
    found |= set() if each.scope is Scope.PUBLIC else {*_KNOWN}
    found |= set() if each.method == hdrs.METH_GET else {*_CHANGING}
    found |= {*_WITH_BODY} if each.body is not None else set()
    found |= {*_ONCE} if each.method == hdrs.METH_POST else set()
    return sorted(found)


def _statuses(operations: Iterable[Operation]) -> list[int]:
    return sorted({status for each in operations for status in _wrong(each)})


def _problem(status: int) -> Mapping[str, object]:
    phrase = HTTPStatus(status).phrase
    if status == _NOT_MODIFIED:
        return {"description": phrase}
    schema = {"$ref": _REF.format(name=ProblemDocument.__name__)}
    return {"description": phrase, "content": {_PROBLEM: {"schema": schema}}}
