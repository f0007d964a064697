"""Starts, wakes and counts on the worker of one user."""

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

from cigri.clusters import worker as program
from cigri.clusters.identity import Account, acting_as, make_directory, open_regular, replace
from cigri.clusters.options import LocalOptions

#: Seconds without work after which a worker ends.
IDLE = 60
#: Seconds within which a worker that ends has failed at once, and that one is watched then.
SOON = 10.0
GLANCE = 0.5
#: Workers that failed at once after which that is told.
MOST_FAILURES = 2
#: How workers end that have done their work, or found another one; killed ones are none's fault.
_GOOD_ENDS = frozenset({0, program.HELD, *range(-64, 0)})
#: Bytes of the log of a worker that are looked at.
_LAST_WORDS = 4_000
#: Digits that the number of a process never has.
_LONGEST_NUMBER = 10
#: Where a host has a Python for everybody; the worker needs 3.9.
_PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3")
#: With which tasks of another user start; root's own may be anything.
_UMASK = 0o022
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
        #: Workers in a row that ended with an error soon after their start.
        self._failures = 0
        self._started_at = 0.0
        # Submitter and poller wake it from different threads; one of them may start it.
        self._starting = threading.Lock()

    def prepare(self) -> Path:
        """Make what is missing and return the directory in which groups appear."""
        self._create()
        groups = self.directory / "groups"
        with acting_as(self.account):
            groups.mkdir(mode=0o700, exist_ok=True)
        return groups

    def _create(self) -> None:
        """Make the directory, or finish what a crash has left half made."""
        with contextlib.suppress(FileNotFoundError):
            if self.directory.stat().st_uid == self.account.uid:
                return
        # The place of all users belongs to the server: no user can lay a link there.
        make_directory(self.directory.parent, 0o711)
        make_directory(self.directory, 0o700)
        if not self.account.is_own:
            os.chown(self.directory, self.account.uid, self.account.gid)

    def set_slots(self, slots: int) -> None:
        """Tell the worker how many cores it may occupy."""
        if slots == self._slots:
            return
        with acting_as(self.account):
            replace(self.directory / "slots", str(slots))
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
                self._start_anew()
            elif not only_if_dead:
                self._signal()

    def _holder(self) -> int | None:
        """Return the pid of the process that holds the lock."""
        with acting_as(self.account):
            try:
                descriptor = open_regular(self.directory / program.LOCK)
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

    def _start_anew(self) -> None:
        """
        Start a worker; when several have failed at once, see if this one lives.

        Raises:
            OSError: It cannot be started, or does not live.
        """
        self._note_failure()
        self._started_at = monotonic()
        self._start()
        if self._failures >= MOST_FAILURES and self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._process.wait(GLANCE)
                if status not in _GOOD_ENDS:
                    log = self.directory / "worker.log"
                    words = f"its worker ends at once with status {status}: {self._last_words()}"
                    raise OSError(errno.ECHILD, words, str(log))

    def _note_failure(self) -> None:
        """Count the worker before, if that has ended with an error soon after its start."""
        ended = None if self._process is None else self._process.poll()
        if ended is not None and ended not in _GOOD_ENDS:
            soon = monotonic() - self._started_at < SOON
            self._failures = self._failures + 1 if soon else 0
        elif ended is not None:
            self._failures = 0

    def _last_words(self) -> str:
        with acting_as(self.account), contextlib.suppress(OSError):
            descriptor = open_regular(self.directory / "worker.log")
            try:
                begin = max(0, os.fstat(descriptor).st_size - _LAST_WORDS)
                text = os.pread(descriptor, _LAST_WORDS, begin).decode("utf-8", "replace")
            finally:
                os.close(descriptor)
            return text.strip().rpartition("\n")[2]
        return ""

    def _start(self) -> None:
        options = self._options
        slots = self._slots or options.slots
        arguments = ["--slots", str(slots), "--idle", str(IDLE)]
        command = [self._python(), "-I", "-S", self._program(), str(self.directory), *arguments]
        with acting_as(self.account):
            log = open_regular(
                self.directory / "worker.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT
            )
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
                umask=-1 if who.is_own else _UMASK,
                user=None if who.is_own else who.uid,
                group=None if who.is_own else who.gid,
                extra_groups=groups,
            )
        finally:
            os.close(log)
        if options.nice:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, options.nice)

    def _python(self) -> str:
        """Return a Python that the user can reach: the server's own may lie in root's home."""
        for path in (sys.executable, *_PYTHONS):
            with contextlib.suppress(OSError), acting_as(self.account):
                if Path(path).resolve(strict=True).is_file():
                    return path
        message = f"{self.account.name} cannot read any of {sys.executable}, {', '.join(_PYTHONS)}"
        raise PermissionError(errno.EACCES, message)

    def _program(self) -> str:
        """Return where the user can read the worker: for others than oneself, a copy."""
        if self.account.is_own:
            return program.__file__
        copy = self.directory.parent / "worker.py"
        text = Path(program.__file__).read_text("utf-8")
        if not copy.is_file() or copy.read_text("utf-8") != text:
            replace(copy, text)
            copy.chmod(0o644)
        return str(copy)

    def _environment(self) -> dict[str, str]:
        if self.account.is_own:
            return dict(os.environ)
        who = self.account
        language = {"LANG": os.environ.get("LANG", "C.UTF-8")}
        names = {"USER": who.name, "LOGNAME": who.name, "HOME": who.home, "SHELL": who.shell}
        return {**language, **names, "PATH": _PATH}


def _leading_number(text: bytes) -> int:
    first = text.split(b" ", 1)[0].strip()
    return int(first) if first.isdigit() and len(first) < _LONGEST_NUMBER else 0
