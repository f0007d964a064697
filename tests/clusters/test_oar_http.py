"""What can go wrong on the way to a cluster of OAR, and what each of it promises."""

import asyncio
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from cigri.clusters.oar import http as oar_http
from cigri.clusters.oar.http import OarHttp, Unanswered
from cigri.clusters.options import Oar2Options
from cigri.errors import ClusterUnreachable, Fault, SubmissionRejected
from tests.fakes.answering import HTML, Answer, answering, listening


def http(url: str, **more: object) -> OarHttp:
    return OarHttp(Oar2Options(url=url, **{"timeout": 2.0, **more}))


async def fails(of: OarHttp, method: str = "POST") -> ClusterUnreachable:
    """Return with what a request fails."""
    try:
        with pytest.raises(ClusterUnreachable) as caught:
            await of.send(method, "/jobs.json", user="alice", body=b"{}")
    finally:
        await of.close()
    return caught.value


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def test_a_port_that_nobody_listens_on_got_nothing() -> None:
    error = await fails(http(f"http://127.0.0.1:{closed_port()}"))

    assert error.fault is Fault.REFUSED
    assert not isinstance(error, Unanswered)


async def test_a_host_that_nobody_knows_got_nothing() -> None:
    error = await fails(http("http://nowhere.invalid"))

    assert error.fault is Fault.REFUSED
    assert not isinstance(error, Unanswered)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(delay=30.0), Fault.TIMEOUT),
        (Answer('{"id": 1234567}', cut=5), Fault.GARBLED),
        (Answer(status=0, cut=0), Fault.GARBLED),
    ],
    ids=["none in time", "half of one", "not even that"],
)
async def test_without_an_answer_a_request_may_have_been_heard(
    answer: Answer, fault: Fault
) -> None:
    async with answering(answer) as server:
        error = await fails(http(server.url, timeout=0.3))

    assert isinstance(error, Unanswered)
    assert error.fault is fault
    assert server.url in str(error)


async def test_a_server_that_trickles_is_not_waited_for() -> None:
    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with listening(trickle) as port:
        error = await fails(http(f"http://127.0.0.1:{port}", timeout=0.3))

    assert error.fault is Fault.TIMEOUT


async def test_an_answer_without_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oar_http, "MOST", 100_000)
    async with answering(Answer(b" " * 200_000)) as server:
        error = await fails(http(server.url))

    assert error.fault is Fault.GARBLED


async def test_html_in_the_place_of_oar_is_asked_again() -> None:
    async with answering(HTML, Answer('{"a": 1}')) as server:
        of = http(server.url)
        reply = await of.get("/version.json", user=None)
        await of.close()

    assert reply.body == b'{"a": 1}'
    assert len(server.asked) == 2


async def test_html_is_believed_in_the_end() -> None:
    async with answering(HTML) as server:
        of = http(server.url)
        reply = await of.get("/version.json", user=None)
        await of.close()

    assert of.failed(reply).fault is Fault.SERVER_ERROR
    assert len(server.asked) == 3


WORDS = """<html><head><title>400 Bad Request</title><style>p {}</style></head>
<body><h1>Bad Request</h1><p>You&#39;re speaking <b>plain HTTP</b> to an SSL port.</p>"""


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            Answer(WORDS, 400, "text/html"),
            "400, from its web server: Bad Request You're speaking plain HTTP to an SSL port.: is",
        ),
        (HTML, "answered 500, from its web server: 500 Internal Server Error"),
        (Answer(b"", 502, "text/html"), "answered 502, from its web server"),
        (Answer(WORDS, 200, "text/html"), "not OAR's: Bad Request You're"),
        (Answer('{"code": 500, "title": "No", "message": ""}', 500), "answered 500: No"),
        (Answer('{"detail": "Not Found"}', 404), "answered 404: Not Found: is"),
        (Answer('{"detail": [1]}', 422), 'answered 422: {"detail": [1]}'),
        (Answer("[", 500), "answered 500: ["),
        (HTML._replace(status=401), "does not let CiGri in (401, from its web server: 500"),
    ],
)
async def test_the_words_of_an_error_are_told_and_not_its_wrapping(
    answer: Answer, told: str
) -> None:
    async with answering(answer) as server:
        of = http(server.url)
        reply = await of.send("GET", "/version.json", user=None)
        await of.close()

    assert told in str(of.failed(reply))
    assert "<" not in str(of.failed(reply))


async def test_what_changes_something_is_sent_once() -> None:
    async with answering(HTML) as server:
        of = http(server.url)
        reply = await of.send("POST", "/jobs.json", user="alice", body=b"{}")
        await of.close()

    assert reply.status == 500
    assert len(server.asked) == 1


async def test_the_media_type_is_asked_for_at_the_letter() -> None:
    async with answering(Answer()) as server:
        of = http(server.url)
        await of.get("/select_all.json", user="alice")
        await of.close()

    headers = {name.lower(): value for name, value in server.asked[0].headers.items()}
    assert headers["accept"] == "application/json"
    assert headers["x_remote_ident"] == "alice"


@pytest.mark.parametrize("user", ["alice-evil", "jean-pierre", "a.b", "é", "alice ", "", "a\nb"])
async def test_a_login_that_oar_reads_as_another_one_is_never_sent(user: str) -> None:
    async with answering(Answer()) as server:
        of = http(server.url)
        with pytest.raises(SubmissionRejected, match="users_mapping"):
            await of.send("DELETE", "/jobs/1.json", user=user)
        await of.close()

    assert not server.asked


async def test_the_password_goes_along_with_the_name(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a:b\n")
    async with answering(Answer()) as server:
        of = http(
            server.url, auth="basic", basic_user="cigri", password_file=tmp_path / "password"
        )
        await of.get("/whoami.json", user="alice")
        await of.close()

    headers = {name.lower(): value for name, value in server.asked[0].headers.items()}
    assert headers["authorization"] == "Basic Y2lncmk6YTpi"
    assert headers["x_remote_ident"] == "alice"


async def test_two_requests_at_a_time_become_one_after_the_other() -> None:
    async with answering(Answer(delay=0.2)) as server:
        of = OarHttp(Oar2Options(url=server.url), one_at_a_time=True)
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(of.get("/version.json", user=None))
            await server.heard.wait()
            assert len(server.asked) == 1
        await of.close()

    assert len(server.asked) == 3


async def test_a_redirection_is_told_and_not_followed() -> None:
    moved = Answer(b"", 301, headers="Location: https://elsewhere.example.org/\r\n")
    async with answering(moved) as server:
        of = http(server.url)
        reply = await of.get("/version.json", user="alice")
        await of.close()

    assert "elsewhere.example.org" in str(of.failed(reply))


async def test_the_clock_of_the_cluster_is_read_from_its_answers() -> None:
    dated = Answer(headers="Date: Sat, 21 Nov 2026 16:42:48 GMT\r\n")
    async with answering(dated) as server:
        of = http(server.url)
        await of.get("/version.json", user=None)
        await of.close()

    assert of.clock is not None
    assert of.clock[0] == 1795279368.0


def _certificate(directory: Path, name: str = "localhost") -> tuple[Path, Path]:
    key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name}"
        f" -addext subjectAltName=DNS:{name} -keyout {key} -out {certificate}".split(),
        check=True,
        capture_output=True,
    )
    return certificate, key


async def _over_tls(context: ssl.SSLContext, **options: object) -> ClusterUnreachable | None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(Answer().encoded())
        await writer.drain()

    async with listening(answer, context) as port:
        of = http(f"https://localhost:{port}", **options)
        try:
            await of.send("POST", "/jobs.json", user="alice", body=b"{}")
        except ClusterUnreachable as error:
            return error
        finally:
            await of.close()
    return None


async def test_a_certificate_that_nobody_vouches_for_is_not_spoken_to(tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    error = await _over_tls(context)
    assert error is not None
    assert error.fault is Fault.TLS
    assert not isinstance(error, Unanswered)

    assert await _over_tls(context, ca_certificate=certificate) is None
    assert await _over_tls(context, verify_tls=False) is None


async def test_a_server_that_wants_our_certificate_has_not_heard_the_request(
    tmp_path: Path,
) -> None:
    certificate, key = _certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificate))
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    error = await _over_tls(context, ca_certificate=certificate)

    assert error is not None
    assert error.fault is Fault.TLS
    assert not isinstance(error, Unanswered)
    shown = {"client_certificate": certificate, "client_key": key}
    assert await _over_tls(context, ca_certificate=certificate, **shown) is None


async def test_a_certificate_that_is_not_there_is_told_by_its_file(tmp_path: Path) -> None:
    missing = tmp_path / "ca.crt"

    error = await fails(http("https://localhost:1", ca_certificate=missing))

    assert error.fault is Fault.TLS
    assert str(missing) in str(error)
