"""What went wrong on the server, as one of `cigri.errors`."""

from collections.abc import Mapping

import httpx

from cigri import errors

#: The class of each status; those of no class of their own are `CigriError`.
CLASSES: Mapping[int, type[errors.CigriError]] = {
    401: errors.NotAuthenticated,
    403: errors.NotAllowed,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.TooLarge,
    507: errors.StorageFull,
}


def error_of(response: httpx.Response) -> errors.CigriError:
    """Return the error that *response* tells, with its body as `problem`."""
    body = _body(response)
    error = _invalid(body) if response.status_code == httpx.codes.BAD_REQUEST else None
    error = error or CLASSES.get(response.status_code, errors.CigriError)(_text(response, body))
    error.problem = body
    return error


def _body(response: httpx.Response) -> Mapping[str, object]:
    try:
        body = response.json()
    except ValueError:  # something else than CiGri answered
        return {}
    return body if isinstance(body, dict) else {}


def _text(response: httpx.Response, body: Mapping[str, object]) -> str:
    said = body.get("detail") or body.get("message") or body.get("title")
    return str(said or f"the server answered {response.status_code} {response.reason_phrase}")


def _invalid(body: Mapping[str, object]) -> errors.CigriError | None:
    mistakes = body.get("errors")
    if not isinstance(mistakes, list) or not mistakes:
        return None
    is_jdl = str(body.get("type", "")).endswith("#jdl")
    return (errors.InvalidJdl if is_jdl else errors.InvalidInput)(
        [
            errors.Problem(
                pointer=mistake.get("pointer", ""),
                detail=mistake.get("detail", ""),
                hint=mistake.get("hint"),
            )
            for mistake in mistakes
        ]
    )
