"""Runs groups of tasks on this host: one file that needs nothing but Python 3.9.

    python -I -S worker.py DIR [--slots N] [--idle SECONDS]
    python -I -S worker.py --node GROUP

The server renames a group's directory into DIR/groups and pokes the worker (SIGUSR1); the worker
runs the group's tasks and tells in its journal what became of each.  Neither waits for the other:
the server may die and read the journal later; the worker may die and the next one settles what it
left.  On a node of a cluster it runs the one group of its job, and ends.  A line of a journal is a
fact, its fields separated by a space:

    B pid time                                 the group is claimed
    S task attempt slot time out err           about to start; where its output begins
    E task attempt slot status flag start end out_begin out_end err_begin err_end
                                               ended: by itself (-), walltime or killed
    N task attempt errno message               could not be started, after its S
    X time reason                              over: done, withdrawn, killed, refused or lost
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from time import monotonic, sleep, time
from typing import Any, NamedTuple

#: What the main loop waits for; SIGUSR1 says that something changed in the directory.
SIGNALS = (signal.SIGCHLD, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)
#: By which a cluster says that it will end a job soon; on a node it is waited for, too.
WARNING = signal.SIGUSR2
#: Python ignores some signals; the tasks shall not.
IGNORED = [one for one in signal.valid_signals() if signal.getsignal(one) is signal.SIG_IGN]
#: Seconds between two looks at the directory when nobody pokes.
TICK = 1.0
#: Seconds from SIGTERM to SIGKILL for a task that ran out of walltime.
GRACE = 5.0
#: Seconds that leftovers get to die; a process that takes longer never runs its own code again.
PATIENCE = 5.0
#: Seconds that the lock may be somebody's who only looks if it is held.
GLANCE = 0.2
#: Seconds from the start of a job within which tasks start whatever time it has left: it was made
#: for them, and what it took to begin shall not keep out one that is to last as long as the job.
UNHURRIED = 30.0
#: Groups open at a time, as each costs two descriptors.
MOST_GROUPS = 200
#: Bytes of the list of cancelled tasks of a group.
LONGEST_LIST = 1024 * 1024
#: What the kernel takes as one entry of an environment (MAX_ARG_STRLEN).
LONGEST_PARAMETER = 128 * 1024 - len("CIGRI_PARAMETER=") - 1
#: Failures that pass by themselves: the task is tried again later.
SHORTAGES = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT}
#: Failures of one task that say nothing of the others of its group.
OWN_FAULTS = {errno.E2BIG, errno.EINVAL}
#: How the files are opened that journals and tasks add to.
APPENDING = os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
#: The exit status of a worker that finds another one at work (EX_TEMPFAIL).
HELD = 75
STDERR = 2
SHELL = b"/bin/sh"
#: The files by which workers claim a directory and a group, named after the version of what they
#: hold: a worker of another version may be at work there, and leaves alone what is not for it.
LOCK = "lock.2"
TASKS = "tasks.2"
#: Before there were versions; what is left of these groups is settled here.
FIRST_TASKS = "tasks"
#: Versions of the header of a group: 2 has names for the words of parameters, or is a script.
VERSIONS = (1, 2)

#: In a command: a leading `~`, `$HOME`, `{HOME}`, `{CAMPAIGN_ID}`, the name of a word of the
#: parameter, and `\\$`, which keeps a `$` from shells that are not there.
MACRO = re.compile(
    r"""\A~(?=/|\Z) | \\?\$(?:(?P<variable>HOME|CIGRI_CAMPAIGN_ID)\b)
    | \\?\$?\{(?P<macro>HOME|CAMPAIGN_ID)\} | (?<!\$)\{(?P<name>[^{}]+)\} | \\(?P<dollar>\$)""",
    re.VERBOSE,
)
#: Not `${name}`, a variable of a shell that the command starts.
NAME = re.compile(r"(?<!\$)\{([^{}]+)\}")
PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
QUOTING = re.compile(r"""['"\\]""")
PIECE = re.compile(
    r"""(?P<space>[ \t\r\n]+) | (?P<plain>[^ \t\r\n'"\\]+) | '(?P<single>[^']*)'
    | "(?P<double>[^"\\]*(?:\\.[^"\\]*)*)" | \\(?P<escaped>.) | (?P<open>.)""",
    re.DOTALL | re.VERBOSE,
)


def split_words(text: str) -> list[str]:
    r"""
    Return the words of *text* as `shlex.split` does: quotes count, nothing is expanded.

    >>> split_words(r"-n 3 'two words' $HOME \;")
    ['-n', '3', 'two words', '$HOME', ';']

    Raises:
        ValueError: A quote is not closed, or a backslash ends the text.
    """
    if QUOTING.search(text):
        return _split_quoted(text)
    # Not `split()`, which also splits at the separators of Unicode.
    spaced = text.replace("\t", " ").replace("\r", " ").replace("\n", " ")
    return [word for word in spaced.split(" ") if word]


def _split_quoted(text: str) -> list[str]:
    words: list[str] = []
    inside = False
    for piece in PIECE.finditer(text):
        kind = piece.lastgroup or ""
        if kind == "open":
            raise ValueError(f"nothing closes or follows the {piece[0]} at {piece.start()}")
        if kind != "space":
            value = re.sub(r'\\(["\\])', r"\1", piece[kind]) if kind == "double" else piece[kind]
            words.append(words.pop() + value if inside else value)
        inside = kind != "space"
    return words


def join_words(words: list[str]) -> str:
    """
    Return a line that `split_words`, and a shell, would split into *words*.

    >>> join_words(["-n", "3", "two words"])
    "-n 3 'two words'"
    """
    return " ".join(
        w if PLAIN.fullmatch(w) else "'" + w.replace("'", "'\"'\"'") + "'" for w in words
    )


def expand(text: str, home: str, campaign: int, values: dict[str, str] | None = None) -> str:
    """
    Return *text* with a leading `~`, `$HOME`, `{HOME}`, `{CAMPAIGN_ID}` and names replaced.

    What is put in is not looked at again, so a value is never more than a part of its word.
    """

    def replace(found: re.Match[str]) -> str:
        if found["name"] is not None:
            return (values or {}).get(found["name"], found[0])
        if found["dollar"]:
            return "$"
        of_campaign = {found["macro"], found["variable"]} & {"CAMPAIGN_ID", "CIGRI_CAMPAIGN_ID"}
        return str(campaign) if of_campaign else home

    return MACRO.sub(replace, text)


def command_line(  # noqa: PLR0917 # the last two are for few
    command: str,
    parameter: str | list[str],
    home: str,
    campaign: int,
    names: Sequence[str] = (),
    template: str | None = None,
) -> list[str]:
    """
    Return the words that a task starts with.

    Macros are expanded in *command* only, after splitting: a home with a space stays one word.
    An array as *parameter* is taken word for word.

    >>> command_line("~/run.sh --fast", "a 'b c' ~", "/home/ann", 12)
    ['/home/ann/run.sh', '--fast', 'a', 'b c', '~']

    With *names* for the words of the parameter, `{name}` in the command stands for the word, which
    is then not appended; with a *template*, that is appended instead of the words.

    >>> command_line("sim --seed={S}", "7 0.5", "/home/ann", 12, ["S", "T"])
    ['sim', '--seed=7', '0.5']
    >>> command_line("sim", "7 0.5", "/home/ann", 12, ["S", "T"], "-t {T}K -s {S}")
    ['sim', '-t', '0.5K', '-s', '7']

    Raises:
        ValueError: A quote is not closed, or there are fewer words than names.
    """
    words = split_words(command)
    if not names:
        return [expand(word, home, campaign) for word in words] + _parameter_words(parameter)
    return fill(words, parameter, names, template, home=home, campaign=campaign)


def fill(
    words: list[str],
    parameter: str | list[str],
    names: Sequence[str],
    template: str | None,
    *,
    home: str,
    campaign: int,
) -> list[str]:
    """Return the words of a command whose *names* stand for words of *parameter*."""
    given = _parameter_words(parameter)
    if len(given) < len(names):
        raise ValueError(f"{len(given)} words for the names {', '.join(names)}")
    values = dict(zip(names, given))
    line = [expand(word, home, campaign, values) for word in words]
    if template is not None:
        line += [
            NAME.sub(lambda found: values.get(found[1], found[0]), word)
            for word in split_words(template)
        ]
    else:
        used = {name for word in words for name in NAME.findall(word)}
        line += [word for name, word in values.items() if name not in used]
    return line + given[len(names) :]


def _parameter_words(parameter: str | list[str]) -> list[str]:
    return split_words(parameter) if isinstance(parameter, str) else list(parameter)


def encode(text: str) -> bytes:
    """Return *text* as the kernel shall see it: UTF-8, whatever the locale."""
    return text.encode("utf-8", "surrogateescape")


class Task(NamedTuple):
    """One task as the server hands it out."""

    number: int
    attempt: int
    id: int
    parameter: str | list[str]


class Recipe:
    """How to start the tasks of a group: what they have in common, as its header says."""

    def __init__(self, header: dict[str, Any], path: str) -> None:
        """
        Read a header.

        Raises:
            ValueError, LookupError, TypeError: It is not one that this worker understands.
        """
        if header["version"] not in VERSIONS:
            raise ValueError(header["version"])
        self.header = header
        self.names = tuple(header.get("names") or ())
        self.script: str | None = header.get("script")
        self.campaign = int(header["campaign"])
        self.cores = int(header["cores"])
        self.walltime = float(header["walltime"])
        self.home = os.path.expanduser(b"~").decode("utf-8", "surrogateescape")
        directory = expand(header["directory"], self.home, self.campaign)
        self.directory = os.path.join(self.home, directory)
        self.nodes = f"{path}/nodes"
        #: The names of the nodes for the cores of a task.
        self.hosts = [os.uname().nodename] * self.cores
        self.script_file = f"{path}/script"
        self.environment = self._environment()
        self.programs: dict[bytes, bytes] = {}
        self.prepared = False

    def _environment(self) -> dict[bytes, bytes]:
        """Return what all tasks get, in bytes, or each start would encode it again."""
        header = self.header
        variables = {k: v for k, v in header["env"].items() if not k.startswith("CIGRI_")}
        if self.script is not None:
            # As its cluster would tell it of a real one.
            variables["OAR_JOB_ID"] = header["token"]
        for names, value in {
            "PWD": self.directory,
            "CIGRI_TOKEN": header["token"],
            "CIGRI_CAMPAIGN_ID CIGRI_CAMPAIGNID": self.campaign,
            "CIGRI_USER": header["user"],
            "CIGRI_WORKDIR CIGRI_WORKING_DIRECTORY": self.directory,
            "CIGRI_WALLTIME": header["walltime_text"],
            "CIGRI_WALLTIME_SECONDS": f"{self.walltime:.0f}",
            "CIGRI_RESOURCES": header["resources"],
            "CIGRI_NODE_FILE CIGRI_NODEFILE": self.nodes,
            "CIGRI_JOB_NAME CIGRI_JOBNAME": header["name"],
        }.items():
            variables.update(dict.fromkeys(names.split(), value))
        return {**os.environb, **{encode(k): encode(str(v)) for k, v in variables.items()}}

    def prepare(self) -> None:
        """
        Write the file that names a node for each core of a task.

        Raises:
            OSError: The disk is full, or there are no more descriptors.
        """
        if not self.prepared:
            with open(self.nodes, "w", encoding="utf-8") as file:
                file.writelines(f"{host}\n" for host in self.hosts)
            if self.script is not None:
                with open(self.script_file, "wb") as file:
                    file.write(encode(self.script))
            self.prepared = True

    @cached_property
    def command(self) -> list[bytes]:
        """The words that every task begins with."""
        if self.script is not None:
            return [self._shell(), encode(self.script_file)]
        words = command_line(self.header["command"], [], self.home, self.campaign)
        return [encode(word) for word in words]

    def _shell(self) -> bytes:
        """Return what runs a script: bash, for which people write, where there is one."""
        try:
            return find_program(b"bash", self.environment.get(b"PATH", b""))
        except FileNotFoundError:
            return SHELL

    @cached_property
    def words(self) -> list[str]:
        """The words of the command as they were written, for the names in them."""
        return split_words(self.header["command"])

    def _arguments(self, parameter: str | list[str]) -> list[bytes]:
        if self.script is not None:
            return self.command
        if not self.names:
            return self.command + [encode(word) for word in _parameter_words(parameter)]
        template = self.header.get("template")
        home, campaign = self.home, self.campaign
        line = fill(self.words, parameter, self.names, template, home=home, campaign=campaign)
        return [encode(word) for word in line]

    def spawn(self, task: Task, actions: list[tuple[Any, ...]]) -> int:
        """
        Start *task* with the files that *actions* put in place and return its process id.

        Raises:
            OSError: The system refused.
            ValueError, TypeError: Nothing can be started so.
        """
        argv = self._arguments(task.parameter)
        if not argv:
            raise ValueError("no program is named")
        if self.script is None:
            self._describe(task)
        # For each task, as the directory may go and come again.
        os.chdir(encode(self.directory))
        return self._execute(self._program(argv[0]), argv, actions)

    def _describe(self, task: Task) -> None:
        """Put what is different for each task into the environment."""
        parameter = task.parameter
        line = encode(parameter if isinstance(parameter, str) else join_words(parameter))
        environment = self.environment
        environment[b"CIGRI_TASK"] = b"%d" % task.number
        environment[b"CIGRI_ATTEMPT"] = b"%d" % task.attempt
        environment[b"CIGRI_JOB_ID"] = environment[b"CIGRI_JOBID"] = b"%d" % task.id
        environment[b"CIGRI_PARAMETER"] = line
        if len(line) > LONGEST_PARAMETER:
            del environment[b"CIGRI_PARAMETER"]

    def _program(self, name: bytes) -> bytes:
        if b"/" in name:
            return name
        if name not in self.programs:
            self.programs[name] = find_program(name, self.environment.get(b"PATH", b""))
        return self.programs[name]

    def _execute(self, program: bytes, argv: list[bytes], actions: list[tuple[Any, ...]]) -> int:
        try:
            return os.posix_spawn(
                program,
                argv,
                self.environment,
                file_actions=actions,
                setpgroup=0,
                setsigmask=(),
                setsigdef=IGNORED,
            )
        except OSError as error:
            if error.errno == errno.ENOEXEC and program != SHELL:
                # A script that names no interpreter: do what execvp and every shell do.
                return self._execute(SHELL, [SHELL, program, *argv[1:]], actions)
            if error.errno == errno.ENOENT and os.path.exists(program):
                error.strerror = "the interpreter that it names does not exist"
            raise


class Journal:
    """
    What became of a group's tasks: lines that are only ever appended.

    What cannot be written, as on a full disk, stays in `unwritten` until it can.
    """

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | APPENDING, 0o600)
        self.unwritten = b""
        self.unsynced = False
        found = os.pread(self.fd, os.fstat(self.fd).st_size, 0)
        # Half a line was read by nobody: cut it off before it grows into a false one.
        whole = found[: found.rfind(b"\n") + 1]
        if len(whole) < len(found):
            os.ftruncate(self.fd, len(whole))
        #: A worker has begun this group before.
        self.begun = bool(whole)
        self.over = whole.startswith(b"X ") or b"\nX " in whole

    def add(self, line: str) -> None:
        """Take a line for the next `flush`."""
        self.unwritten += encode(line) + b"\n"

    def flush(self) -> bool:
        """Write what was taken; return whether all of it could be."""
        if self.unwritten:
            try:
                written = os.write(self.fd, self.unwritten)
            except OSError:
                return False
            self.unwritten = self.unwritten[written:]
            self.unsynced = True
        return not self.unwritten

    def sync(self) -> None:
        """Have what was written survive a power cut."""
        if self.unsynced:
            self.unsynced = False
            try:
                os.fdatasync(self.fd)
            except OSError:  # the kernel has dropped the pages: asking again proves nothing
                return


class Group:
    """
    Tasks of one campaign that were handed out together: a directory that this worker has claimed.

    The claim is the lock on the file of tasks; it ends with this process, whatever ends that.
    """

    recipe: Recipe
    #: The task to start next, if one is `waiting`.
    upcoming: Task

    def __init__(self, path: str) -> None:
        """
        Claim the group at *path*.

        Raises:
            OSError: Another worker has it, or it cannot be read or written to.
        """
        self.path = path
        name = TASKS if os.path.lexists(f"{path}/{TASKS}") else FIRST_TASKS
        self.tasks = open(f"{path}/{name}", encoding="utf-8")  # noqa: SIM115 - it is the claim
        fcntl.flock(self.tasks, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.journal = Journal(f"{path}/journal")
        self.waiting = False
        self.running = 0
        #: Tasks to leave out.
        self.cancelled: set[int] = set()
        #: Why the group is over, once it is.
        self.reason = "done"
        self.concluded = False

    def begin(self) -> None:
        """Get the first task ready, or settle what a dead worker has left of the group."""
        try:
            header = json.loads(self.tasks.readline())
            if self.journal.begun:
                kill_leftovers(encode(header["token"]))
                self.reason = "lost"
                return
            self.recipe = Recipe(header, self.path)
        except (ValueError, LookupError, TypeError):
            self.reason = "refused"
            return
        self.journal.add(f"B {os.getpid()} {time():.3f}")
        self.advance()

    def advance(self) -> None:
        """Go on to the next task."""
        try:
            while line := self.tasks.readline():
                self.upcoming = Task(*json.loads(line))
                if self.upcoming.number not in self.cancelled:
                    break
            self.waiting = bool(line)
        except (ValueError, TypeError):
            self.stop("refused")

    def stop(self, reason: str) -> None:
        """Start no more tasks of the group."""
        self.waiting = False
        self.reason = reason

    def order(self) -> str:
        """Return what the server wants of the group: withdraw, kill, or nothing."""
        try:
            return glance(f"{self.path}/stop")
        except OSError:
            return "" if os.path.isdir(self.path) else "kill"

    def leave_out(self) -> bool:
        """Learn which tasks were cancelled; return whether that is news."""
        try:
            found = {int(word) for word in glance(f"{self.path}/cancel", LONGEST_LIST).split()}
        except (OSError, ValueError):
            return False
        if found <= self.cancelled:
            return False
        self.cancelled |= found
        if self.waiting and self.upcoming.number in self.cancelled:
            self.advance()
        return True

    def give_up(self, number: int, error: Exception) -> None:
        """Say why the next task cannot be started, which holds for all of them as a rule."""
        task = self.upcoming
        self.journal.add(f"N {task.number} {task.attempt} {number} {explain(error)}")
        if number in OWN_FAULTS:
            self.advance()
        else:
            self.stop("refused")

    def is_active(self) -> bool:
        """Return whether something of the group runs or will."""
        return self.waiting or self.running > 0

    def conclude(self) -> None:
        """Say that nothing more of the group will run."""
        if not self.concluded:
            self.concluded = True
            self.journal.add(f"X {time():.3f} {self.reason}")

    def close(self) -> None:
        """Let go of the group."""
        os.close(self.journal.fd)
        self.tasks.close()


class Slot:
    """A place for one task at a time, and the files that catch what its tasks print."""

    group: Group
    task: int
    pid: int
    deadline: float
    #: When the task is to be told that its time ends.
    warning: float

    def __init__(self, number: int) -> None:
        self.number = number
        self.files: list[int] = []

    def open_files(self, group: Group) -> None:
        """
        Catch the output of *group* from now on.

        Raises:
            OSError: The disk is full, or there are no more descriptors.
        """
        if self.files and self.group is group:
            return
        self.close_files()
        self.group = group
        for stream in ("out", "err"):
            path = f"{group.path}/{stream}.{self.number}"
            self.files.append(os.open(path, os.O_WRONLY | APPENDING, 0o600))
        self.actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            *((os.POSIX_SPAWN_DUP2, file, to) for to, file in enumerate(self.files, 1)),
        ]
        self.lengths = self.measure()

    def close_files(self) -> None:
        """Let go of the files."""
        while self.files:
            os.close(self.files.pop())

    def measure(self) -> tuple[int, int]:
        """Return how long both files are now."""
        out, err = self.files
        return os.lseek(out, 0, os.SEEK_END), os.lseek(err, 0, os.SEEK_END)

    def announce(self, task: Task) -> str:
        """Return the line of *task*, which is about to start here."""
        self.task = task.number
        self.label = f"{task.number} {task.attempt} {self.number}"
        self.flag = "-"
        self.started = time()
        out, err = self.lengths
        return f"S {self.label} {self.started:.3f} {out} {err}"

    def report(self, status: int) -> str:
        """Return the line of the task that has ended here."""
        (out, err), (out_end, err_end) = self.lengths, self.measure()
        self.lengths = out_end, err_end
        # A task that cut its file short has all that is in it, and lost what others wrote there.
        out = out if out <= out_end else 0
        err = err if err <= err_end else 0
        span = f"{self.started:.3f} {time():.3f} {out} {out_end} {err} {err_end}"
        return f"E {self.label} {status} {self.flag} {span}"

    def signal(self, number: int, flag: str) -> None:
        """Send a signal to the task and all that it started, and remember why."""
        self.flag = flag
        signal_group(self.pid, number)


class Turns:
    """Gives each campaign its turn, and its oldest group the campaign's."""

    def __init__(self) -> None:
        self.queues: deque[deque[Group]] = deque()

    def join(self, group: Group) -> None:
        """Add a group that has tasks to start."""
        for queue in self.queues:
            if queue[0].recipe.campaign == group.recipe.campaign:
                queue.append(group)
                return
        self.queues.append(deque([group]))

    def leave(self, group: Group) -> None:
        """Take away a group that has no more tasks to start."""
        for queue in self.queues:
            if group in queue:
                queue.remove(group)
        self.queues = deque(queue for queue in self.queues if queue)

    def take(self, free: int, slots: int) -> Group | None:
        """Return the group that may now start a task on the *free* ones of *slots*, if any."""
        for queue in self.queues:
            cores = queue[0].recipe.cores
            if cores <= free:
                self.queues.remove(queue)
                self.queues.append(queue)
                return queue[0]
            if cores <= slots:
                return None  # the others wait with it, or it would wait for ever
        return None


class Worker:
    """Runs the groups of one directory until there are none, or until it is told to end."""

    #: What it waits for.
    signals: tuple[signal.Signals, ...] = SIGNALS

    def __init__(self, root: str, slots: int, idle: float) -> None:
        self.root = root
        self.slots = slots
        self.idle = idle
        self.known: set[str] = set()
        self.groups: list[Group] = []
        self.turns = Turns()
        self.running: dict[int, Slot] = {}
        self.free: list[Slot] = []
        self.busy = 0
        #: Disk, processes or descriptors are used up: nothing starts before the next look.
        self.short = False
        self.ending = False
        self.alarm = float("inf")
        self.next_look = self.next_sync = self.last_busy = monotonic()

    def run(self) -> None:
        """Run what there is and what comes."""
        while True:
            now = monotonic()
            if now >= self.next_look:
                self.look(now)
                if self.is_done(now):
                    return
            if now >= self.alarm:
                self.enforce_walltimes(now)
            self.wait(max(0.0, min(self.next_look, self.alarm) - now))

    def is_done(self, now: float) -> bool:
        """Return whether the worker may end, having just looked for work."""
        return not self.groups and now >= self.last_busy + self.idle

    def wait(self, timeout: float) -> None:
        """React to the next signal, if one comes within *timeout* seconds."""
        arrived = signal.sigtimedwait(self.signals, timeout)
        if arrived is not None:
            self.heed(arrived.si_signo)

    def heed(self, number: int) -> None:
        """React to a signal."""
        if number == signal.SIGCHLD:
            self.reap()
            return
        self.next_look = 0.0
        if number != signal.SIGUSR1:
            self.ending = True
            self.idle = 0.0

    def look(self, now: float) -> None:
        """See what the server wants, and try again what could not be done."""
        self.next_look = now + TICK
        self.short = False
        self.read_slots()
        if not self.ending:
            self.admit_groups()
        for group in self.groups.copy():
            if group.is_active():
                self.obey(group)
            self.settle(group)
        if now >= self.next_sync:
            self.next_sync = now + TICK
            for group in self.groups:
                group.journal.sync()
        self.fill()

    def read_slots(self) -> None:
        """Learn how many slots there are, if the server says so."""
        try:
            self.slots = int(glance(f"{self.root}/slots"))
        except (OSError, ValueError):
            return

    def admit_groups(self) -> None:
        """Claim the groups that are new, the oldest first."""
        names = sorted(name for name in os.listdir(f"{self.root}/groups") if name[0] != ".")
        self.known.intersection_update(names)
        for name in names:
            if name in self.known or len(self.groups) >= MOST_GROUPS:
                continue
            try:
                group = Group(f"{self.root}/groups/{name}")
            except OSError:
                continue
            self.known.add(name)
            self.admit(group)

    def admit(self, group: Group) -> None:
        """Take on a group, unless it is over."""
        if group.journal.over:
            group.close()
            return
        group.begin()
        self.groups.append(group)
        if group.waiting:
            self.turns.join(group)

    def obey(self, group: Group) -> None:
        """Do what the server wants with a group; the end of this worker is an order to kill."""
        order = "kill" if self.ending else group.order()
        if order == "kill" and group.reason != "killed":
            self.stop(group, "killed")
            for slot in self.running.values():
                if slot.group is group:
                    slot.signal(signal.SIGKILL, "killed")
        elif order == "withdraw" and group.reason == "done":
            self.stop(group, "withdrawn")
        if group.leave_out():
            for slot in self.running.values():
                if slot.group is group and slot.task in group.cancelled:
                    slot.signal(signal.SIGKILL, "killed")
            if not group.waiting:
                self.turns.leave(group)

    def stop(self, group: Group, reason: str) -> None:
        """Start no more tasks of a group."""
        group.stop(reason)
        self.turns.leave(group)

    def settle(self, group: Group) -> None:
        """Write down what became of a group, and let go of it when it is over."""
        if not group.is_active():
            group.conclude()
        if not group.journal.flush():
            self.short = True
        elif group.concluded and group in self.groups:
            group.journal.sync()
            self.release(group)

    def release(self, group: Group) -> None:
        """Let go of a group and of the files of its output."""
        for slot in self.free:
            if slot.files and slot.group is group:
                slot.close_files()
        self.groups.remove(group)
        group.close()
        if not self.groups:
            self.last_busy = monotonic()
            self.next_look = min(self.next_look, self.last_busy + self.idle)

    def fill(self) -> None:
        """Start tasks while there is room for them."""
        while not self.short:
            group = self.turns.take(self.slots - self.busy, self.slots)
            if group is None:
                return
            self.start(group)

    def start(self, group: Group) -> None:
        """Start the next task of a group, or say why that cannot be."""
        slot = self.free.pop() if self.free else Slot(len(self.running))
        if self.announce(group, slot) and self.spawn(group, slot):
            group.advance()
        else:
            self.free.append(slot)
        if not group.waiting:
            self.turns.leave(group)
            self.settle(group)

    def announce(self, group: Group, slot: Slot) -> bool:
        """Write that the next task is about to start; return whether it may."""
        try:
            group.recipe.prepare()
            slot.open_files(group)
        except OSError as error:
            slot.close_files()
            self.short = error.errno in SHORTAGES
            if not self.short:
                # Somebody laid something else in the place of a file.
                task = group.upcoming
                group.journal.add(f"S {task.number} {task.attempt} {slot.number} {time():.3f} 0 0")
                group.give_up(error.errno or errno.EIO, error)
            return False
        group.journal.add(slot.announce(group.upcoming))
        self.short = not group.journal.flush()
        return not self.short

    def spawn(self, group: Group, slot: Slot) -> bool:
        """Start the task that was announced; return whether it runs."""
        try:
            slot.pid = group.recipe.spawn(group.upcoming, slot.actions)
        except (OSError, ValueError, TypeError) as error:
            number = getattr(error, "errno", None) or errno.EINVAL
            if number in SHORTAGES:
                self.short = True
            else:
                group.give_up(number, error)
            return False
        slot.deadline = monotonic() + group.recipe.walltime
        self.alarm = min(self.alarm, slot.deadline)
        self.running[slot.pid] = slot
        self.busy += group.recipe.cores
        group.running += 1
        return True

    def reap(self) -> None:
        """Let others follow the tasks that have ended."""
        while self.running:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            group = self.finish(self.running.pop(ended.si_pid))
            self.fill()
            self.settle(group)

    def finish(self, slot: Slot) -> Group:
        """Kill what a task that has ended leaves behind, note how it ended, return its group."""
        # Before the leader is reaped, as only until then nobody else can have its number.
        signal_group(slot.pid, signal.SIGKILL)
        _, status = os.waitpid(slot.pid, 0)
        group = slot.group
        group.journal.add(slot.report(os.waitstatus_to_exitcode(status)))
        group.running -= 1
        self.busy -= group.recipe.cores
        self.free.append(slot)
        return group

    def enforce_walltimes(self, now: float) -> None:
        """Ask the tasks whose time is up to end; kill those that were asked before."""
        self.alarm = float("inf")
        for slot in self.running.values():
            if now >= slot.deadline:
                asked = slot.flag == "walltime"
                slot.signal(signal.SIGKILL if asked else signal.SIGTERM, "walltime")
                slot.deadline = now + GRACE
            self.alarm = min(self.alarm, slot.deadline)


class NodeWorker(Worker):
    """
    Runs the group of one job of a cluster, on the cores and in the time that the job has.

    What does not fit into its time any more is left for another job.
    """

    signals = (*SIGNALS, WARNING)

    def __init__(self, path: str, hosts: list[str]) -> None:
        # Only the cores of this node: nothing here starts a program on another one.
        super().__init__(path, hosts.count(hosts[0]), 0.0)
        self.hosts = hosts
        #: Until when tasks start.
        self.last_start = monotonic()
        self.admit(Group(path))

    def admit_groups(self) -> None:
        """Look for no more groups."""

    def read_slots(self) -> None:
        """Keep to the cores of the job."""

    def admit(self, group: Group) -> None:
        """Take on the group of this job, unless it is over, and learn how long the job lasts."""
        super().admit(group)
        if not group.waiting:
            return
        recipe = group.recipe
        recipe.hosts = [self.hosts[i % len(self.hosts)] for i in range(recipe.cores)]
        # A task that spans nodes has all the job.
        self.slots = max(self.slots, recipe.cores)
        lasts = os.environ.get("OAR_JOB_WALLTIME_SECONDS") or recipe.header["lasts"]
        self.last_start += max(UNHURRIED, float(lasts) - recipe.walltime)

    def fill(self) -> None:
        """Start tasks while there is room and time for them."""
        if monotonic() > self.last_start:
            self.hold_back()
        super().fill()

    def spawn(self, group: Group, slot: Slot) -> bool:
        """Start the task that was announced; return whether it runs."""
        if not super().spawn(group, slot):
            return False
        ahead = min(float(group.recipe.header.get("warning", 0)), group.recipe.walltime / 2)
        slot.warning = slot.deadline - ahead if ahead else float("inf")
        self.alarm = min(self.alarm, slot.warning)
        return True

    def enforce_walltimes(self, now: float) -> None:
        """End the tasks whose time is up, and warn those before whose end a warning is due."""
        super().enforce_walltimes(now)
        for slot in self.running.values():
            if now >= slot.warning:
                slot.warning = float("inf")
                self.warn(slot)
            self.alarm = min(self.alarm, slot.warning)

    def hold_back(self) -> None:
        """Start no more tasks."""
        for group in self.groups:
            if group.waiting:
                self.stop(group, "withdrawn")

    def heed(self, number: int) -> None:
        """React to a signal; a warning is for the tasks, if they know what to do about it."""
        if number != WARNING:
            super().heed(number)
            return
        self.hold_back()
        self.next_look = 0.0
        for slot in self.running.values():
            if slot.group.recipe.header["warned"]:
                self.warn(slot)

    def warn(self, slot: Slot) -> None:
        """Tell a task that its end is near."""
        # Its first process alone, as a cluster does; the program knows who else must know.
        with suppress(OSError):
            os.kill(slot.pid, WARNING)


def read_hosts(path: str) -> list[str]:
    """Return the node of each core that a job has, this one first, as *path* tells."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            hosts = file.read().split()
    except OSError:
        hosts = []
    return hosts or [os.uname().nodename]


def glance(path: str, most: int = 64) -> str:
    """Return the words that a file holds; a pipe laid in its place has none and keeps nobody."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(fd, most).decode("utf-8", "replace").strip()
    finally:
        os.close(fd)


def find_program(name: bytes, path: bytes) -> bytes:
    """
    Return the file that *name* means on *path*.

    Raises:
        FileNotFoundError: There is none that could be executed.
    """
    for directory in path.split(b":"):
        program = os.path.join(directory, name)
        if os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    raise FileNotFoundError(errno.ENOENT, "not found on PATH", name)


def explain(error: Exception) -> str:
    """Return on one line what went wrong, and with which file."""
    text = str(error)
    if isinstance(error, OSError) and error.filename:
        text = f"{os.fsdecode(error.filename)}: {error.strerror}"
    return " ".join(text.split())


def signal_group(group: int, number: int) -> None:
    """Send a signal to a process group, which may be gone or another user's."""
    try:
        os.killpg(group, number)
    except OSError:
        return


def kill_leftovers(token: bytes) -> None:
    """Kill the processes that carry *token* in their environment, until there are none."""
    deadline = monotonic() + PATIENCE
    while (pids := carriers(b"CIGRI_TOKEN=" + token)) and monotonic() < deadline:
        for pid in pids:
            kill(pid)
        sleep(0.01)


def kill(pid: int) -> None:
    """Kill a process and its group, if they are still there."""
    try:
        os.kill(pid, signal.SIGKILL)
        os.killpg(os.getpgid(pid), signal.SIGKILL)
    except OSError:
        return


def carriers(entry: bytes) -> list[int]:
    """Return the processes of this user with *entry* in their environment."""
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and carries(pid, entry)]


def carries(pid: str, entry: bytes) -> bool:
    """Return whether a process is this user's and has *entry* in its environment."""
    try:
        if os.stat(f"/proc/{pid}").st_uid != os.getuid():
            return False
        with open(f"/proc/{pid}/environ", "rb") as file:
            return entry in file.read().split(b"\0")
    except OSError:
        return False


def hold(root: str) -> None:
    """
    Take the directory for this process alone, until it ends, and write who has it.

    Raises:
        BlockingIOError: Another worker has it.
    """
    fd = os.open(f"{root}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    # Whoever looks if there is a worker holds the lock for a moment: do not take that for one.
    deadline = monotonic() + GLANCE
    while not has_locked(fd):
        if monotonic() > deadline:
            raise BlockingIOError(errno.EAGAIN, "another worker is at work", root)
        sleep(0.01)
    with open("/proc/self/stat", "rb") as file:
        started = file.read().rpartition(b")")[2].split()[19]
    written = os.pwrite(fd, b"%d %s\n" % (os.getpid(), started), 0)
    os.ftruncate(fd, written)


def has_locked(fd: int) -> bool:
    """Return whether this process could lock a file."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main(arguments: list[str]) -> int:
    """Run a worker as the command line says and return its exit status."""
    # Before the lock names this process: a poke would end it.
    signal.pthread_sigmask(signal.SIG_BLOCK, NodeWorker.signals)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if ignored, no status would be kept
    while os.open(os.devnull, os.O_RDWR) <= STDERR:  # nothing else shall get a standard number
        pass
    if arguments[0] == "--node":
        path = os.path.abspath(arguments[1])
        return attempt(lambda: NodeWorker(path, read_hosts(os.environ.get("OAR_NODEFILE", ""))))
    root = os.path.abspath(arguments[0])
    options = dict(zip(arguments[1::2], arguments[2::2]))
    slots = int(options.get("--slots", len(os.sched_getaffinity(0))))
    return attempt(lambda: claim(root, slots, float(options.get("--idle", 30))))


def claim(root: str, slots: int, idle: float) -> Worker:
    """
    Return the worker of a directory.

    Raises:
        BlockingIOError: There is another one.
    """
    hold(root)
    os.makedirs(f"{root}/groups", exist_ok=True)
    return Worker(root, slots, idle)


def attempt(begin: Callable[[], Worker]) -> int:
    """Run a worker, if there is no other one, and return its exit status."""
    try:
        worker = begin()
    except BlockingIOError:
        return HELD
    worker.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
