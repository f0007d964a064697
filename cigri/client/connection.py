"""Finding a server and speaking HTTP with it."""

import ipaddress
import os
import socket
import stat
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx

from cigri import errors, places
from cigri.client.answer import Answer, error_of
from cigri.places import Address

#: Seconds for one answer; a submission of a million tasks is written to disk before its answer.
TIMEOUT = httpx.Timeout(10.0, read=60.0)
#: Seconds between two tries of a request that may be repeated.
PAUSES = (0.1, 0.4, 1.0)

Parameters = Mapping[str, str | int]


def find(url: str | None = None) -> Address:
    """Return where a server answers.

    Raises:
        ServerUnreachable: None does.
    """
    tried = []
    for address in places.addresses(os.environ, os.getuid(), url):
        problem = _problem(address)
        if problem is None:
            return address
        tried.append(f"{address} ({problem})")
    raise errors.ServerUnreachable(f"no server answers at {' or '.join(tried)}")


def connect(address: Address) -> httpx.Client:
    """Return the HTTP client for *address*.

    Proxies of the environment are not for a server of this host.
    """
    if address.socket is None:
        headers = _authorization() if _is_this_host(address) else {}
        return httpx.Client(
            base_url=address.url, headers=headers, timeout=TIMEOUT, trust_env=False
        )
    transport = httpx.HTTPTransport(uds=str(address.socket), verify=False)
    return httpx.Client(base_url=address.url, transport=transport, timeout=TIMEOUT)


class Connection:
    """Sends requests, and turns whatever goes wrong into `cigri.errors`."""

    def __init__(self, http: httpx.Client, name: str) -> None:
        self.name = name
        self._http = http
        self._answered = False

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def get(
        self,
        path: str,
        parameters: Parameters | None = None,
        *,
        accept: str = "application/json",
        patience: float = 2.0,
    ) -> Answer:
        """Return the answer, asking again for *patience* seconds while a known server is silent.

        Raises:
            ServerUnreachable: No answer, which a later try may get.
        """
        end = time.monotonic() + patience
        pauses = iter(PAUSES)
        while True:
            try:
                return self._send("GET", path, parameters, headers={"Accept": accept})
            except errors.ServerUnreachable:
                if not self._answered or time.monotonic() >= end:
                    raise
            time.sleep(next(pauses, PAUSES[-1]))

    def change(
        self,
        method: str,
        path: str,
        parameters: Parameters | None = None,
        *,
        content: bytes | Iterable[bytes] | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        """Return the answer to a request that is sent once, whatever happens.

        Raises:
            ServerUnreachable: Whether it was carried out is told by the message.
        """
        headers = {} if content is None else {"Content-Type": content_type}
        return self._send(method, path, parameters, headers=headers, content=content)

    def _send(
        self,
        method: str,
        path: str,
        parameters: Parameters | None,
        *,
        headers: Mapping[str, str],
        content: bytes | Iterable[bytes] | None = None,
    ) -> Answer:
        try:
            answer = self._ask(method, path, parameters, headers=headers, content=content)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise errors.ServerUnreachable(f"no server answers at {self.name}: {error}") from error
        except httpx.TransportError as error:
            raise errors.ServerUnreachable(_lost(method, self.name, error)) from error
        self._answered = True
        if answer.good:
            return answer
        refusal = error_of(answer)
        if isinstance(refusal, errors.NotAuthenticated):
            refusal.trying(_repair())
        raise refusal

    def _ask(
        self,
        method: str,
        path: str,
        parameters: Parameters | None,
        *,
        headers: Mapping[str, str],
        content: bytes | Iterable[bytes] | None,
    ) -> Answer:
        """
        Return whatever the server answers.

        It is read as a stream: a response that holds its body is part of a cycle of httpx, and of
        a thousand pages most would wait in memory for the garbage collector.
        """
        with self._http.stream(
            method,
            path,
            params=parameters or None,  # an empty one takes away the query of a link
            headers=headers,
            content=content,
        ) as response:
            return Answer(response.status_code, b"".join(response.iter_bytes()))


def _lost(method: str, name: str, error: httpx.TransportError) -> str:
    what = str(error) or type(error).__name__
    if method == "GET":
        return f"{name} stopped answering: {what}"
    return f"the answer of {name} was lost ({what}): the request may have been carried out"


def _problem(address: Address) -> str | None:
    """Return why nobody can be asked at *address*; a URL is only tried by the first request."""
    if address.socket is None:
        return None
    try:
        mistrust = _mistrust(address.socket)
        if mistrust is not None:
            return mistrust
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            probe.connect(str(address.socket))
    except FileNotFoundError:
        return "no such socket"
    except ConnectionRefusedError:
        return "its server has stopped"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None


def _mistrust(path: Path) -> str | None:
    """Return why a socket under a directory open to all may be somebody else's, or `None`."""
    uid = os.getuid()
    if path.parent != places.temporary(uid):
        return None
    directory = path.parent.lstat()
    if not stat.S_ISDIR(directory.st_mode):
        return "its directory is a link"
    if {directory.st_uid, path.lstat().st_uid} != {uid}:
        return "it belongs to another user"
    if directory.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others can write to its directory"
    return None


def _is_this_host(address: Address) -> bool:
    """Tell whether nobody but this host can hear what is sent to *address*."""
    host = httpx.URL(address.url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _repair() -> str:
    """Return what to try when a server does not take the token."""
    path = places.token_file(os.environ, os.getuid())
    if not path.exists():
        return f"name the file with the server's token in CIGRI_TOKEN_FILE: there is no {path}"
    return (
        f"start the server again if another one has written {path} since, or name the file with "
        "its token in CIGRI_TOKEN_FILE; tokens are only sent to this host"
    )


def _authorization() -> dict[str, str]:
    path = places.token_file(os.environ, os.getuid())
    try:
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return {}  # the server says what it wants
    except (OSError, ValueError) as error:
        raise errors.NotAuthenticated(f"the token cannot be read: {error}") from error
    if len(token.split()) != 1:
        raise errors.NotAuthenticated(f"there is no token in {path}").trying(_repair())
    return {"Authorization": f"Bearer {token}"}
