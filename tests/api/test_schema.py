"""The OpenAPI document, and a server that keeps to it whatever is sent."""

import asyncio
import hashlib
import json
import threading
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cigri.api import body, growing, jdl_schema
from cigri.api.context import ApiSettings
from cigri.api.openapi import document
from cigri.api.operation import operations
from cigri.api.tables import TABLES
from cigri.domain import fields, recipe
from tests.api import face

COPY = Path(__file__).parents[2] / "docs" / "openapi.json"
#: As clients get it: without tuples.
DOCUMENT = json.loads(json.dumps(document(operations(TABLES))))

#: Nothing that the document does not say.  Which inputs are refused is not asked: a schema cannot
#: say that the tasks are given in one way alone.
CHECKS = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


@schemathesis.serializer(body.LINES, growing.JSON_LINES)
def lines(_, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


schema = schemathesis.openapi.from_dict(DOCUMENT)


def test_it_is_openapi():
    validate(DOCUMENT)


def test_its_copy_is_the_same():
    # To write it anew: curl …/openapi.json?pretty > docs/openapi.json
    assert json.loads(COPY.read_text("utf-8")) == DOCUMENT


def test_every_field_of_a_description_is_in_it():
    assert list(jdl_schema.FIELDS) == list(fields.FIELDS)
    assert list(jdl_schema.GLOBAL) == list(fields.GLOBAL)
    assert list(jdl_schema.WAYS) == list(recipe.WAYS)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server in a thread: schemathesis waits for its answers."""
    directory = tmp_path_factory.mktemp("schema")
    started, stop = threading.Event(), asyncio.Event()
    found = []

    async def serve():
        # Of no token that a request of the test could revoke.
        digest = hashlib.sha256(face.TOKEN.encode()).digest()
        own = ApiSettings(user=face.OWN, token_sha256=digest)
        async with (
            face.engine(directory) as (campaigns, _),
            face.running(campaigns, directory, own) as running,
        ):
            found[:] = [asyncio.get_running_loop(), running.port]
            started.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert started.wait(10)
        yield f"http://127.0.0.1:{found[1]}", face.BEARER
    finally:
        if found:
            found[0].call_soon_threadsafe(stop.set)
        thread.join(10)


@pytest.fixture
def fresh(server):
    """Numbers in paths for which there is something: a new campaign and its first task."""
    url, headers = server
    made = httpx.post(f"{url}/campaigns", json=face.JDL, headers=headers).json()
    jobs = httpx.get(f"{url}/campaigns/{made['id']}/jobs", headers=headers).json()
    return {"campaign": made["id"], "job": jobs["items"][0]["id"]}


@schema.exclude(path_regex="stream$").parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_is_outside_the_schema(case, server, fresh):
    url, headers = server
    for name, number in fresh.items():
        if case.path_parameters.get(name) == 1:
            case.path_parameters[name] = number
    if case.query:
        case.query.pop("wait", None)  # it would wait

    answer = case.call_and_validate(base_url=url, headers=headers, checks=list(CHECKS))

    # What comes with a later version says so.
    assert answer.status_code < 500 or answer.status_code == 501
