"""How commands end: their exit codes, and errors told as what, where, and what to try."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from enum import IntEnum
from http import HTTPStatus

import attrs

from cigri import errors
from cigri.words import clean


class Exit(IntEnum):
    """What a script can ask `$?` for."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    NO_SERVER = 5
    TASKS_FAILED = 10
    CANCELLED = 11
    #: As timeout(1) has it.
    TIME_IS_UP = 124
    #: 128 + SIGINT.
    INTERRUPTED = 130
    #: 128 + SIGPIPE, as of any program whose reader has gone.
    BROKEN_PIPE = 141
    #: 128 + SIGTERM.
    TERMINATED = 143


class OutputLost(errors.CigriError):
    """Standard output does not take what a command has to say."""


@attrs.frozen
class Advice:
    """The exit code of a class of errors, and what to try."""

    code: Exit
    #: `{command}` stands for the command that failed.
    attempt: str


#: The first class that fits counts.
ADVICE: dict[type[Exception], Advice] = {
    errors.ServerUnreachable: Advice(
        Exit.NO_SERVER, "cigri serve, or name another server with --url"
    ),
    errors.InvalidInput: Advice(Exit.REFUSED, "correct it, then the same command again"),
    errors.NotFound: Advice(Exit.NOT_FOUND, "cigri stat --all shows what there is"),
    errors.NotAuthenticated: Advice(
        Exit.NOT_ALLOWED, "name the file with the server's token in CIGRI_TOKEN_FILE"
    ),
    errors.AdmissionRefused: Advice(Exit.NOT_ALLOWED, "change it, or ask for leave"),
    errors.NotAllowed: Advice(Exit.NOT_ALLOWED, "ask its owner, or an administrator"),
    errors.Conflict: Advice(Exit.REFUSED, "cigri stat shows how things stand"),
    errors.TooLarge: Advice(Exit.REFUSED, "put the parameters into a param_file: it is streamed"),
    errors.StorageFull: Advice(
        Exit.REFUSED, "make room on the server's disk, then the same command again"
    ),
    Exception: Advice(Exit.REFUSED, "{command} --help"),
}

#: What to try when the system refuses.
ATTEMPTS = {
    errno.ENOSPC: "make room there, or write elsewhere",
    errno.EBADF: "> FILE, or > /dev/null",
}
#: What to try when a cluster or the server has no time.
LATER = "cigri clusters tells how the clusters are; later, the same command again"


def advice(error: Exception) -> Advice:
    """Return what becomes of a command that ended with *error*."""
    return next(ADVICE[cls] for cls in type(error).__mro__ if cls in ADVICE)


def reader_gone() -> Exit:
    """Return the exit code of a command that nobody reads any more."""
    _discard_output()
    return Exit.BROKEN_PIPE


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """
    Translate the failures of standard output, but for a reader that went away.

    Raises:
        OutputLost: What was written is lost.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_output()
        reason = "it is closed" if error.errno == errno.EBADF else _reason(error)
        lost = OutputLost(f"cannot write to standard output: {reason}")
        raise lost.trying(ATTEMPTS.get(error.errno or 0, "write elsewhere")) from error


def _discard_output() -> None:
    """Have what is left in the buffer not fail again when Python flushes it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reason(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    at = f"{error.filename}: " if error.filename else ""
    return at + error.strerror.lower()


def report(error: Exception, *, command: str, where: str) -> Exit:
    """Tell of *error* and return the exit code."""
    known = advice(error)
    attempt = known.attempt.format(command=command)
    if isinstance(error, errors.CigriError):
        attempt = error.attempt or (LATER if _passes(error) else attempt)
    elif isinstance(error, OSError):
        attempt = ATTEMPTS.get(error.errno or 0, attempt)
    if isinstance(error, errors.InvalidInput) and len(error.problems) > 1:
        what = f"{error.what.lower()} has {len(error.problems)} mistakes"
        tell(what, where, attempt, details=[str(problem) for problem in error.problems])
    elif isinstance(error, errors.InvalidInput):
        tell(f"{error.what.lower()} is wrong at {error.problems[0]}", where, attempt)
    elif isinstance(error, OSError):
        tell(_reason(error), where, attempt)
    else:
        tell(str(error), where, attempt)
    return known.code


def _passes(error: errors.CigriError) -> bool:
    """Return whether the server says that it cannot for now."""
    return error.problem.get("status") == HTTPStatus.SERVICE_UNAVAILABLE


def tell(what: str, where: str, attempt: str, details: list[str] | None = None) -> None:
    """Write an error to standard error, in one piece."""
    lines = [f"error: {what}", *(f"       {detail}" for detail in details or [])]
    lines += [f"where: {where}", f"try:   {attempt}"]
    sys.stderr.write("".join(f"{clean(line)}\n" for line in lines))
