"""A POST that is sent again is answered again, and carried out once.

A client that lost the answer cannot know whether its campaign exists.  With an `Idempotency-Key`
(draft-ietf-httpapi-idempotency-key-header) it may simply ask again.
"""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypeVar

import attrs
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from cigri.api import body, errors, operation, query
from cigri.api.context import caller, engine
from cigri.api.fingerprint import FINGERPRINT, Fingerprint
from cigri.engine.receipts import Receipt
from cigri.errors import InvalidRequest
from cigri.store.replies import Reply

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_KEY = re.compile(r"[!-~]{1,255}")
#: Seconds after which a client whose first request is still being answered may ask again.
_RETRY_AFTER = "1"
#: Answers that hold a secret, which is stored nowhere.
_SECRET = frozenset({"/access_tokens"})

_Outcome = TypeVar("_Outcome")


@attrs.define
class _Claim:
    """A request that is being answered under its key."""

    user: str
    key: str
    #: How it was answered, once that is on record.
    reply: Reply | None = None


CLAIM = web.RequestKey("CLAIM", _Claim)
#: The keys under which requests are being answered now.  There is one process.
CLAIMS = web.AppKey("CLAIMS", set[tuple[str, str]])


@web.middleware
async def answer_once(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request as it was answered before under the same key, if it was."""
    if request.method != hdrs.METH_POST or HEADER not in request.headers or _is_dry(request):
        return await handler(request)
    claim = _Claim(caller(request).user, _key(request))
    claims, name = request.app[CLAIMS], (claim.user, claim.key)
    if name in claims:
        detail = f"the first request with this {HEADER} is still being answered: ask again soon"
        retry: Mapping[str, str] = {hdrs.RETRY_AFTER: _RETRY_AFTER}
        return errors.problem(request, HTTPStatus.CONFLICT, {"detail": detail}, retry)
    claims.add(name)
    request[CLAIM], request[FINGERPRINT] = claim, Fingerprint(request)
    try:
        known = await engine(request).receipts.find(*name)
        if known is None:
            return await _first(request, handler, claim)
        await body.drain(request)
        return _again(request, known)
    finally:
        claims.discard(name)


def receipt(
    request: web.Request, answer: Callable[[_Outcome], tuple[int, Mapping[str, str], bytes]]
) -> Receipt[_Outcome] | None:
    """
    Return what records the answer to *request* in the transaction of its outcome.

    *answer* makes status, headers and body of the outcome.  Without a key there is nothing to
    record.
    """
    claim = request.get(CLAIM)
    if claim is None:
        return None

    def reply(outcome: _Outcome) -> Reply:
        status, headers, text = answer(outcome)
        digest = request[FINGERPRINT].value()
        kept = Reply(request=digest, status=status, headers=headers, body=text)
        claim.reply = kept
        return kept

    return engine(request).receipts.receipt(claim.user, claim.key, reply)


def _is_dry(request: web.Request) -> bool:
    """Return whether *request* is only a question."""
    return query.is_on(request.query.get("dry_run", "no"))


def _key(request: web.Request) -> str:
    given = request.headers.getall(HEADER)
    # The draft has it between quotation marks, as a structured field; most clients leave them out.
    key = given[0].strip()
    if len(given) > 1 or not _KEY.fullmatch(key):
        raise InvalidRequest.at("", f"{HEADER} is not one word of 1 to 255 visible ASCII letters")
    return key


async def _first(request: web.Request, handler: Handler, claim: _Claim) -> web.StreamResponse:
    response = await handler(request)
    if claim.reply is not None:
        # To the letter what a second request is going to be told.
        return response if response.prepared else _response(request, claim.reply)
    if isinstance(response, web.Response) and response.status < HTTPStatus.BAD_REQUEST:
        await body.drain(request)
        await engine(request).receipts.keep(claim.user, claim.key, _reply(request, response))
    return response


def _reply(request: web.Request, response: web.Response) -> Reply:
    asked = operation.asked(request)
    secret = asked is not None and asked.path in _SECRET
    names = {hdrs.LOCATION, hdrs.CONTENT_TYPE}
    return Reply(
        request=request[FINGERPRINT].value(),
        status=response.status,
        headers={name: response.headers[name] for name in names if name in response.headers},
        body=None if secret or not isinstance(response.body, bytes) else response.body,
    )


def _again(request: web.Request, known: Reply) -> web.StreamResponse:
    if known.request != request[FINGERPRINT].value():
        detail = f"this {HEADER} belongs to another request of yours: take a new one for this"
        return errors.problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, {"detail": detail}, {})
    if known.body is None:
        detail = "this was carried out; its answer held a secret, which is shown only once"
        return errors.problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, {"detail": detail}, {})
    response = _response(request, known)
    response.headers[REPLAYED] = "true"
    return response


def _response(request: web.Request, reply: Reply) -> web.Response:
    headers = {hdrs.CONTENT_TYPE: "application/json", **reply.headers}
    return web.Response(status=reply.status, headers=headers, body=reply.body)
