"""The `media` calls of the fake OAR: files of the users' homes."""

import re

from cigri.bench.fake.answers import OCTETS, Answer, Call, many, refusal, row
from cigri.bench.fake.cluster import Cluster
from cigri.bench.fake.files import Homes
from cigri.bench.fake.orders import Refused
from cigri.bench.fake.render import page

#: What no path should hold: the shell of OAR's own user would run it.
_SHELL = re.compile(r"[^A-Za-z0-9_./~+=,:@%-]")


class Media:
    """Answers calls about files; *user* is who OAR takes the caller for."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.homes = Homes(cluster.options.homes)
        #: Paths that a shell read as more than a path: a client that asks for one has a hole.
        self.shell: list[str] = []

    def read(self, call: Call, user: str, asked: str) -> Answer:
        """Answer `GET /media/PATH`."""
        path = self._path(user, asked)
        if " " in path:
            return Answer(content_type=OCTETS)
        if _SHELL.search(path):
            return Answer(body=b"uid=103(oar) gid=110(oar) groups=110(oar)\n", content_type=OCTETS)
        if self._foreign(path, user):
            return refusal(403, "Forbidden", f"File could not be read: {path}")
        data = self.homes.read(path)
        if data is None:
            return refusal(404, "Not found", f"File not found: {path}")
        tail = call.asked.get("tail", "")
        if tail.isdigit() and int(tail):
            data = b"".join(data.splitlines(keepends=True)[-int(tail) :])
        return Answer(body=data, content_type=OCTETS)

    def list(self, call: Call, user: str, asked: str) -> Answer:
        """Answer `GET /media/ls/PATH`."""
        path = self._path(user, asked)
        found = self.homes.list(path)
        if found is None:
            return refusal(404, "Not found", f"Path not found: {path}")
        now = int(self._cluster.now())
        rows = [
            {
                "name": name,
                "type": "d" if directory else "f",
                "size": str(size),
                "mode": 16877 if directory else 33188,
                "mtime": now,
            }
            for name, directory, size in found
        ]
        return many(call, self._cluster, rows, row)

    def chmod(self, call: Call, user: str, asked: str) -> Answer:
        """Answer `POST /media/chmod/PATH`; who may read what is not played any finer."""
        path = self._path(user, asked)
        if not self.homes.there(path):
            return refusal(404, "Not found", f"File not found: {path}")
        if self._foreign(path, user):
            return refusal(403, "Forbidden", f"File could not be read: {path}")
        return Answer(code=202, content_type=OCTETS)

    def upload(self, call: Call, user: str, asked: str, *, force: bool) -> Answer:
        """Answer `POST /media/[force/]PATH`."""
        path = self._path(user, asked)
        if not call.content_type.startswith(OCTETS):
            text = f"{call.content_type} not allowed for file upload"
            raise Refused(406, "Bad content type", text)
        if not force and self.homes.read(path) is not None:
            raise Refused(403, "File already exists", "The file already exists")
        if self._foreign(path, user):
            raise Refused(500, "write error", f"Error creating file: {path}")
        self.homes.write(path, call.body)
        links = [{"rel": "self", "href": f"{call.base}/media/{path}"}]
        body = page({"status": "created", "success": "true", "links": links})
        return Answer(code=201, body=body, content_type="text/html; charset=ISO-8859-1")

    def remove(self, call: Call, user: str, asked: str) -> Answer:
        """Answer `DELETE /media/PATH`."""
        path = self._path(user, asked)
        if self._foreign(path, user):
            return refusal(403, "Forbidden", f"File or directory is not writeable: {path}")
        if not self.homes.remove(path):
            return refusal(404, "Not found", f"File not found: {path}")
        return Answer(code=204, content_type=OCTETS)

    def _path(self, user: str, asked: str) -> str:
        path = Homes.path(asked, user)
        if _SHELL.search(path):
            self.shell.append(path)
        return path

    @staticmethod
    def _foreign(path: str, user: str) -> bool:
        """Return whether a file is another user's: all homes are closed here."""
        return path.startswith("/home/") and not path.startswith(f"/home/{user}/")
