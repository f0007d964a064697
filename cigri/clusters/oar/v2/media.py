"""The files of users on a cluster of OAR 2.5, through its API; each is touched as its owner."""

from functools import partial

import msgspec

from cigri.clusters.oar.http import Endless, OarHttp, repeated
from cigri.clusters.oar.reply import Reply, on_one_line
from cigri.clusters.oar.v2.words import (
    TOO_LARGE,
    decoded,
    media,
    message_of,
    too_large,
    unknown_user,
)
from cigri.errors import SubmissionRejected

#: What explains the directory to its owner.
_README = b"CiGri keeps here what it runs for you, and what that prints.\n"


class _Asker(msgspec.Struct):
    authenticated_user: str = ""


class Media:
    """
    Reads, writes and removes files of the users' homes.

    Args:
        http: The cluster.
        most_bytes: Of one file that is written.
        header: By which it is told who the user is.
    """

    def __init__(self, http: OarHttp, *, most_bytes: int, header: str) -> None:
        self._http = http
        self._most_bytes = most_bytes
        self._header = header
        #: Directories that are closed to others than their user.
        self._closed: set[tuple[str, str]] = set()
        #: Users for whom the cluster has shown to take us.
        self._recognised: set[str] = set()

    async def read(
        self, path: str, user: str, *, tail: int | None = None, limit: int
    ) -> bytes | None:
        """
        Return the end of a file of the user's.

        Raises:
            SubmissionRejected: The cluster does not know the user, or the file has no end.
        """
        lines = "" if tail is None else f"?tail={max(1, tail)}"
        try:
            reply = await self._http.get(f"{media(path)}{lines}", user=user, keep=limit)
        except Endless as error:
            raise SubmissionRejected(f"{path} of {user}: {error}") from error
        if reply.status in {403, 404} and reply.is_json:
            return None
        self._check_user(reply, user)
        if reply.status != 200 or not reply.is_file:
            # A page of the web server's is no journal in which no task has run.
            raise self._http.failed(reply)
        return reply.body

    async def write(self, path: str, user: str, data: bytes) -> None:
        """Write a file, over what is there, in a directory that is closed to others."""
        media(path)  # before anything is laid beside it
        if len(data) > self._most_bytes:
            raise SubmissionRejected(f"a file of {len(data)} bytes is over `request_limit_kib`")
        await self.be(user)
        top, below, _ = path.partition("/")
        if below and (user, top) not in self._closed:
            await self._put(f"{top}/README", user, _README)
            await self._close(top, user)
            self._closed.add((user, top))
        await self._put(path, user, data)

    async def remove(self, path: str, user: str) -> None:
        """Remove a file or a directory."""
        reply = await repeated(partial(self._http.send, "DELETE", media(path), user=user))
        if reply.status not in {200, 204, 404}:
            raise self._http.failed(reply)

    async def be(self, user: str) -> None:
        """See to it that what is done for *user* is done as *user*: a web server may know better.

        Raises:
            SubmissionRejected: It would be done as somebody else.
            ClusterUnreachable: It would be done as nobody.
        """
        if user in self._recognised:
            return
        reply = await self._http.get("/whoami.json", user=user)
        taken_for = decoded(self._http, reply, _Asker).authenticated_user
        if not taken_for:
            raise self._http.denied(reply)
        if taken_for != user:
            raise SubmissionRejected(
                f"{self._http.url} takes us for {on_one_line(taken_for, 64)} where we ask for"
                f" {user}: its web"
                f" server has to believe the header {self._header}"
            )
        self._recognised.add(user)

    async def _put(self, path: str, user: str, data: bytes) -> None:
        put = partial(
            self._http.send,
            "POST",
            media(path).replace("/media/", "/media/force/", 1),
            user=user,
            # To OAR a body of 0 is none.
            body=b"0\n" if data == b"0" else data,
            content_type="application/octet-stream",
        )
        reply = await repeated(put)
        if reply.status != 201:
            raise self._of_the_home(reply, path, user)

    async def _close(self, top: str, user: str) -> None:
        path = media(top).replace("/media/", "/media/chmod/", 1)
        send = partial(self._http.send, "POST", path, user=user, body=b'{"mode":"700"}')
        reply = await repeated(send)
        if reply.status not in {200, 202}:
            raise self._of_the_home(reply, top, user)

    def _check_user(self, reply: Reply, user: str) -> None:
        if reply.status == 401 and reply.is_json:
            raise SubmissionRejected(unknown_user(self._http, user, reply))

    def _of_the_home(self, reply: Reply, path: str, user: str) -> Exception:
        """Return the error of a file that was not written: the home may be full, or closed."""
        self._check_user(reply, user)
        if reply.status == TOO_LARGE:
            return too_large(self._http)
        if reply.status not in {403, 500} or not reply.is_json:
            return self._http.failed(reply)
        why = on_one_line(message_of(reply))
        return SubmissionRejected(f"{path} cannot be written in the home of {user}: {why}")
