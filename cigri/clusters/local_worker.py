"""Starts, wakes and counts on the worker of one user."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from cigri.clusters import worker as program
from cigri.clusters.identity import Account, acting_as, open_regular
from cigri.clusters.options import LocalOptions

#: Seconds without work after which a worker ends.
IDLE = 60
#: What a worker started for another user finds on its PATH.
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"


class LocalWorker:
    """The worker of one user: its directory, and the process if it lives."""

    def __init__(self, directory: Path, who: Account, options: LocalOptions) -> None:
        self.directory = directory
        self.account = who
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._slots: int | None = None
        # Submitter and poller wake it from different threads; one of them may start it.
        self._starting = threading.Lock()

    @contextlib.contextmanager
    def prepared(self) -> Iterator[Path]:
        """Give a block the rights of the user and the directory in which groups appear."""
        if not self.directory.is_dir():
            self._create()
        with acting_as(self.account):
            groups = self.directory / "groups"
            groups.mkdir(mode=0o700, exist_ok=True)
            yield groups

    def _create(self) -> None:
        # The place of all users belongs to the server: no user can lay a link there.
        self.directory.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.directory.mkdir(mode=0o700, exist_ok=True)
        if not self.account.is_own:
            os.chown(self.directory, self.account.uid, self.account.gid)

    def set_slots(self, slots: int) -> None:
        """Tell the worker how many cores it may occupy."""
        if slots == self._slots:
            return
        with acting_as(self.account):
            hidden = self.directory / ".slots"
            hidden.write_text(str(slots))
            hidden.rename(self.directory / "slots")
        self._slots = slots
        self._signal()

    def is_alive(self) -> bool:
        """Return whether a worker holds the lock of the directory, or is about to."""
        if self._process is not None and self._process.poll() is None:
            return True
        return self._holder() is not None

    def poke(self, *, only_if_dead: bool = False) -> None:
        """Let the worker look at its directory; start one if there is none."""
        with self._starting:
            if not self.is_alive():
                self._start()
            elif not only_if_dead:
                self._signal()

    def _holder(self) -> int | None:
        """Return the pid of the process that holds the lock."""
        with acting_as(self.account):
            try:
                descriptor = open_regular(self.directory / "lock")
            except FileNotFoundError:
                return None
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _leading_number(os.pread(descriptor, 64, 0))
            finally:
                os.close(descriptor)
        return None

    def _signal(self) -> None:
        pid = self._holder()
        if not pid:
            return
        with contextlib.suppress(OSError):
            process = os.pidfd_open(pid)
            try:
                # Only now is it sure that the number still means the process that holds the lock,
                # and that it belongs to the user: the file is theirs to write.
                owner = Path(f"/proc/{pid}").stat().st_uid
                if self._holder() == pid and owner == self.account.uid:
                    signal.pidfd_send_signal(process, signal.SIGUSR1)
            finally:
                os.close(process)

    def _start(self) -> None:
        options = self._options
        slots = self._slots or options.slots
        arguments = ["--slots", str(slots), "--idle", str(IDLE)]
        command = [sys.executable, "-I", "-S", program.__file__, str(self.directory), *arguments]
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        with acting_as(self.account):
            log = os.open(self.directory / "worker.log", flags, 0o600)
        who = self.account
        groups = None if who.is_own else os.getgrouplist(who.name, who.gid)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
                # The worker outlives the server, and Ctrl-C in the server's terminal.
                start_new_session=True,
                user=None if who.is_own else who.uid,
                group=None if who.is_own else who.gid,
                extra_groups=groups,
            )
        finally:
            os.close(log)
        if options.nice:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, options.nice)

    def _environment(self) -> dict[str, str]:
        if self.account.is_own:
            return dict(os.environ)
        who = self.account
        language = {"LANG": os.environ.get("LANG", "C.UTF-8")}
        names = {"USER": who.name, "LOGNAME": who.name, "HOME": who.home, "SHELL": who.shell}
        return {**language, **names, "PATH": _PATH}


def _leading_number(text: bytes) -> int:
    first = text.split(b" ", 1)[0].strip()
    return int(first) if first.isdigit() else 0
