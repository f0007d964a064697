"""What `cigri init --system` does to a host: a list of steps, told before any is taken."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from cigri import example, places
from cigri.cli import unit
from cigri.errors import CigriError, Conflict

#: For all to read; it names no secret.
READABLE = 0o644


@attrs.frozen
class Step:
    """Something to do, and how to do it."""

    verb: str
    what: str
    why: str
    act: Callable[[], None]

    def __str__(self) -> str:
        return f"  {self.verb:<7} {self.what}\n          {self.why}"


@attrs.frozen(kw_only=True)
class Plan:
    """How a server for a whole host is set up."""

    #: The directory that stands for `/`.
    root: Path
    #: The account that it runs as, `None` for root.
    user: str | None

    def steps(self) -> Iterator[Step]:
        """
        Yield what is still to be done.

        Raises:
            Conflict: There is another unit.
        """
        if self.user is not None and not self._has_account():
            yield Step("add", f"user {self.user}", "a system account, without login", self._add)
        yield from self._directory(places.SYSTEM_CONFIGURATION.parent, 0o755, "the configuration")
        if not self._at(places.SYSTEM_CONFIGURATION).exists():
            text = self.configuration()
            yield self._file(places.SYSTEM_CONFIGURATION, text, "every key, with its default")
        yield from self._directory(places.SYSTEM_STATE, 0o711, "the database, and users' outputs")
        there = self._at(unit.PLACE)
        if there.exists() and there.read_text("utf-8") != self.unit():
            raise Conflict(f"{there} exists and says something else").trying(
                f"see what is new with --dry-run, then move {there} away"
            )
        if not there.exists():
            who = "root, to start tasks as their users" if self.user is None else self.user
            yield self._file(unit.PLACE, self.unit(), f"the service, which runs as {who}")

    def configuration(self) -> str:
        """Return the text of the configuration."""
        if self.user is None:
            return example.text()
        database = str(places.SYSTEM_STATE / "cigri.db")
        return example.having(example.text(), database=database, socket=str(places.SYSTEM_SOCKET))

    def unit(self) -> str:
        """Return the text of the systemd unit."""
        return unit.text(_command(), places.SYSTEM_CONFIGURATION, self.user)

    def _at(self, path: Path) -> Path:
        return self.root / path.relative_to("/")

    def _file(self, path: Path, text: str, why: str) -> Step:
        at = self._at(path)

        def write() -> None:
            at.parent.mkdir(parents=True, exist_ok=True)
            with at.open("x", encoding="utf-8") as file:
                file.write(text)
            at.chmod(READABLE)

        return Step("write", str(at), why, write)

    def _directory(self, path: Path, mode: int, why: str) -> Iterator[Step]:
        at = self._at(path)

        def make() -> None:
            at.mkdir(parents=True)
            at.chmod(mode)
            if self.user is not None and path == places.SYSTEM_STATE and self._is_host:
                shutil.chown(at, self.user, self.user)

        if not at.is_dir():
            yield Step("make", f"{at}/", f"for {why}", make)

    @property
    def _is_host(self) -> bool:
        return self.root == Path("/")

    def _has_account(self) -> bool:
        if not self._is_host:  # an image has its own list, whose form we leave to its tools
            return _is_listed(self.user or "", self.root / "etc/passwd")
        try:
            pwd.getpwnam(self.user or "")
        except KeyError:
            return False
        return True

    def _add(self) -> None:
        home = str(places.SYSTEM_STATE)
        shell = "/usr/sbin/nologin"
        command = ["useradd", "--system", "--user-group", "--no-create-home"]
        command += ["--home-dir", home, "--shell", shell]
        command += [] if self._is_host else ["--root", str(self.root.absolute())]
        done = subprocess.run(
            [*command, "--", self.user or ""], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CigriError(f"useradd failed: {done.stderr.strip()}")


def _is_listed(user: str, passwd: Path) -> bool:
    try:
        lines = passwd.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return False
    return any(line.startswith(f"{user}:") for line in lines)


def _command() -> str:
    """Return how systemd starts this program."""
    called = Path(sys.argv[0])
    if called.name == "cigri" and os.access(called, os.X_OK):
        return str(called.absolute())
    return f"{sys.executable} -m cigri"
