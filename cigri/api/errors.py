"""What went wrong, as a problem document (RFC 9457) with the fields of CiGri v3 beside its own."""

import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from cigri.api import answers, methods
from cigri.errors import (
    AdmissionRefused,
    CigriError,
    ClusterUnreachable,
    Conflict,
    Damaged,
    InvalidInput,
    InvalidJdl,
    InvalidRequest,
    InvalidToken,
    MissingScope,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotYet,
    Problem,
    StorageFull,
    TooLarge,
)

log = structlog.get_logger()

_T = TypeVar("_T")

#: The status of each class of errors; one that is not here is the caller's, too: CiGri 3 answered
#: 400 to all that the state of a thing does not allow.
STATUS: Mapping[type[CigriError], HTTPStatus] = {
    InvalidInput: HTTPStatus.BAD_REQUEST,
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.BAD_REQUEST,
    AdmissionRefused: HTTPStatus.BAD_REQUEST,
    NotYet: HTTPStatus.NOT_IMPLEMENTED,
    ClusterUnreachable: HTTPStatus.SERVICE_UNAVAILABLE,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
    # Neither the request nor the state of the campaign is to blame.
    Damaged: HTTPStatus.INTERNAL_SERVER_ERROR,
}

#: What tells a client how to get past an error.
_HEADERS: Mapping[type[CigriError], Mapping[str, str]] = {
    NotAuthenticated: {hdrs.WWW_AUTHENTICATE: 'Bearer realm="cigri"'},
    InvalidToken: {hdrs.WWW_AUTHENTICATE: 'Bearer realm="cigri", error="invalid_token"'},
    MissingScope: {hdrs.WWW_AUTHENTICATE: 'Bearer realm="cigri", error="insufficient_scope"'},
}

#: What a class of errors is called beyond its status.
_KINDS: Mapping[type[CigriError], Mapping[str, str]] = {
    InvalidJdl: {"type": "/docs/errors#jdl", "title": "Invalid campaign description"},
    InvalidRequest: {"type": "/docs/errors#request", "title": "Invalid request"},
    # The title is how CiGri 3's clients know it.
    AdmissionRefused: {"type": "/docs/errors#admission", "title": "Admission rule error"},
    Conflict: {"type": "/docs/errors#conflict", "title": "Conflict"},
    NotYet: {"type": "/docs/errors#later", "title": "Not implemented yet"},
}


@web.middleware
async def explain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with a problem document whatever is raised; a bug is logged and not told."""
    try:
        return await handler(request)
    except CigriError as error:
        _give_up_if_begun(request)
        return _refusal(request, error)
    except web.HTTPException as error:
        return await _http_problem(request, error)
    except Exception as error:
        if isinstance(error, ConnectionError) and _is_gone(request):
            raise
        instance = uuid.uuid4().hex
        log.exception("request.crashed", instance=instance, method=request.method)
        _give_up_if_begun(request)
        return _bug(request, instance)


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _give_up_if_begun(request: web.Request) -> None:
    """Cut the connection when part of an answer has left: so the client knows of the rest."""
    if request.writer.output_size > 0:
        raise ConnectionResetError("the answer cannot be completed")


def _refusal(request: web.Request, error: CigriError) -> web.Response:
    status = _look_up(STATUS, error) or HTTPStatus.BAD_REQUEST
    body: dict[str, object] = {"detail": str(error)}
    if isinstance(error, InvalidInput):
        body["errors"] = [_mistake(problem) for problem in error.problems]
    body |= _look_up(_KINDS, error) or {}
    return problem(request, status, body, _look_up(_HEADERS, error) or {})


def _look_up(table: Mapping[type[CigriError], _T], error: CigriError) -> _T | None:
    return next((table[cls] for cls in type(error).__mro__ if cls in table), None)


def _mistake(problem: Problem) -> Mapping[str, str]:
    told = {"pointer": problem.pointer, "detail": problem.detail}
    return told if problem.hint is None else told | {"hint": problem.hint}


async def _http_problem(request: web.Request, error: web.HTTPException) -> web.Response:
    status = HTTPStatus(error.status)
    if isinstance(error, web.HTTPMethodNotAllowed):
        error.headers[hdrs.ALLOW] = await methods.of_path(request) or error.headers[hdrs.ALLOW]
    kept = {name: value for name, value in error.headers.items() if name in _KEPT}
    return problem(request, status, {"detail": _detail(request, error)}, kept)


_KEPT = frozenset({hdrs.ALLOW, hdrs.ACCEPT_ENCODING, hdrs.RETRY_AFTER})


def _detail(request: web.Request, error: web.HTTPException) -> str:
    path = request.rel_url.raw_path
    match error:
        case web.HTTPNotFound():
            return f"{request.method} {path} not found on this server"
        case web.HTTPMethodNotAllowed():
            return f"{path} takes {error.headers[hdrs.ALLOW]}, not {request.method}"
        case _:
            return error.text or error.reason


def _bug(request: web.Request, instance: str) -> web.Response:
    detail = f"a bug of the server; its log tells more under {instance}"
    body = {"detail": detail, "instance": f"urn:uuid:{uuid.UUID(instance)}"}
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, body, {})


#: Where CiGri 3 says it otherwise than HTTP.
_TITLES = {HTTPStatus.NOT_FOUND: "Not found"}


def problem(
    request: web.Request,
    status: HTTPStatus,
    body: Mapping[str, object],
    headers: Mapping[str, str],
) -> web.Response:
    """Return the problem document of *status*, with *body* over what every one says."""
    title = _TITLES.get(status, status.phrase)
    document = {"type": "about:blank", "title": title, "status": int(status)}
    document |= {**body, "message": body["detail"]}
    return web.Response(
        body=answers.encode(request, document),
        status=status,
        headers=headers,
        content_type="application/problem+json",
    )
