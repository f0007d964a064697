"""What the server answered, and what went wrong there as one of `cigri.errors`."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import attrs

from cigri import errors

#: The class of each status; those of no class of their own are `CigriError`.
CLASSES: Mapping[int, type[errors.CigriError]] = {
    HTTPStatus.UNAUTHORIZED: errors.NotAuthenticated,
    HTTPStatus.FORBIDDEN: errors.NotAllowed,
    HTTPStatus.NOT_FOUND: errors.NotFound,
    HTTPStatus.CONFLICT: errors.Conflict,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.TooLarge,
    HTTPStatus.INSUFFICIENT_STORAGE: errors.StorageFull,
}
#: The class of what the state of things or an administrator forbids, by the end of its type.
REFUSED: Mapping[str, type[errors.CigriError]] = {
    "conflict": errors.Conflict,
    "admission": errors.AdmissionRefused,
}
#: The class of what has mistakes, by the end of its type.
INVALID: Mapping[str, type[errors.InvalidInput]] = {
    "jdl": errors.InvalidJdl,
    "request": errors.InvalidRequest,
}


@attrs.frozen
class Answer:
    """The answer to one request."""

    status: int
    #: The body, byte for byte.
    content: bytes = attrs.field(repr=False)

    @property
    def good(self) -> bool:
        """Return whether the request was carried out."""
        return self.status in range(200, 300)

    def json(self) -> Any:  # noqa: ANN401 - what is in it, `cigri.client.bodies` says
        """Return the body as values."""
        return json.loads(self.content)


def error_of(answer: Answer) -> errors.CigriError:
    """Return the error that *answer* tells, with its body as `problem`."""
    body = _body(answer)
    error = _invalid(body) if answer.status == HTTPStatus.BAD_REQUEST else None
    if error is None:
        known = CLASSES.get(answer.status, errors.CigriError)
        error = REFUSED.get(_kind(body), known)(_text(answer, body))
    error.problem = body
    return error


def _body(answer: Answer) -> Mapping[str, object]:
    try:
        body = answer.json()
    except ValueError:  # something else than CiGri answered
        return {}
    return body if isinstance(body, dict) else {}


def _text(answer: Answer, body: Mapping[str, object]) -> str:
    said = body.get("detail") or body.get("message") or body.get("title")
    return str(said or f"the server answered with status {answer.status}")


def _kind(body: Mapping[str, object]) -> str:
    return str(body.get("type", "")).rpartition("#")[2]


def _invalid(body: Mapping[str, object]) -> errors.CigriError | None:
    mistakes = body.get("errors")
    if not isinstance(mistakes, list) or not mistakes:
        return None
    return INVALID.get(_kind(body), errors.InvalidInput)(
        [
            errors.Problem(
                pointer=mistake.get("pointer", ""),
                detail=mistake.get("detail", ""),
                hint=mistake.get("hint"),
            )
            for mistake in mistakes
        ]
    )
