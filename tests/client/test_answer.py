import json

import pytest

from cigri import errors
from cigri.client.answer import Answer, error_of


def problem(status, **fields):
    body = {"type": "about:blank", "title": "T", "status": status, "detail": "what", **fields}
    return Answer(status, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.CigriError),
        (401, errors.NotAuthenticated),
        (403, errors.NotAllowed),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (413, errors.TooLarge),
        (415, errors.CigriError),
        (500, errors.CigriError),
        (507, errors.StorageFull),
    ],
)
def test_every_status_has_its_class(status, kind):
    error = error_of(problem(status))

    assert type(error) is kind
    assert str(error) == "what"
    assert error.problem["status"] == status


def test_all_mistakes_of_a_description_come_back():
    mistakes = [
        {"pointer": "/parms", "detail": "unknown key", "hint": "did you mean params?"},
        {"pointer": "/clusters", "detail": "missing"},
    ]

    error = error_of(problem(400, type="/docs/errors#jdl", errors=mistakes))

    assert isinstance(error, errors.InvalidJdl)
    assert [str(mistake) for mistake in error.problems] == [
        "/parms: unknown key (did you mean params?)",
        "/clusters: missing",
    ]


@pytest.mark.parametrize("body", [b"<html>502</html>", b"", b"[]", b'"x"', b"{}", b"\xff"])
def test_an_answer_that_is_no_problem_document_is_an_error_all_the_same(body):
    error = error_of(Answer(502, body))

    assert type(error) is errors.CigriError
    assert "502" in str(error)


def test_a_mistake_of_a_request_is_none_of_a_description():
    mistakes = [{"pointer": "/name", "detail": "empty"}]

    error = error_of(problem(400, type="/docs/errors#request", errors=mistakes))

    assert isinstance(error, errors.InvalidRequest)
