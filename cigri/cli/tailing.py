"""Following what tasks write, until they have ended."""

import time
from collections.abc import Iterable
from typing import Literal

import attrs

from cigri.cli.failures import Exit
from cigri.cli.session import Session
from cigri.client.bodies import Job
from cigri.errors import NotFound

Stream = Literal["stdout", "stderr"]

#: Seconds between two looks.
LOOK = 0.5
ENDED = frozenset({"terminated", "failed", "cancelled"})
#: Bytes by which an output that has lost its beginning is recognised.
KNOWN = 1024


@attrs.define
class Followed:
    """One stream of one task, as far as it was shown."""

    task: int
    stream: Stream
    #: `None` before the first look.
    seen: bytes | None = None

    def news(self, output: bytes, tail: int | None) -> bytes:
        """Return what of *output* was not shown yet; at first, its last *tail* lines."""
        before, self.seen = self.seen, output
        return last_lines(output, tail) if before is None else fresh(before, output)


def fresh(before: bytes, now: bytes) -> bytes:
    """
    Return what has come to an output since it was *before*.

    A long one comes without its beginning; one of another attempt is new as a whole.

    >>> fresh(b"ab", b"abc"), fresh(b"bc", b"abcd"), fresh(b"abc", b"x")
    (b'c', b'd', b'x')
    """
    if now.startswith(before):
        return now[len(before) :]
    end = before[-KNOWN:]
    return now[now.rfind(end) + len(end) :] if end in now else now


def last_lines(output: bytes, count: int | None) -> bytes:
    r"""
    Return the last *count* lines, or all.

    >>> last_lines(b"a\nb\nc\n", 2)
    b'b\nc\n'
    """
    return output if count is None else b"".join(output.splitlines(keepends=True)[-count:])


def found_task(session: Session, campaign: int, task: int) -> Job:
    """
    Return a task of a campaign.

    Raises:
        NotFound: There is none with that number.
    """
    job = session.client.job(campaign, task)
    if job is None or job["task"] != task:
        missing = NotFound(f"campaign {campaign} has no task {task}")
        raise missing.trying(f"cigri jobs {campaign} shows its tasks")
    return job


def follow_outputs(
    session: Session,
    campaign: int,
    tasks: Iterable[int],
    streams: tuple[Stream, ...],
    tail: int | None,
) -> Exit:
    """
    Print what *tasks* write until all of them have ended.

    Of several streams, a line tells whenever another one goes on.

    Raises:
        NotFound: There is no such task.
    """
    followed = [Followed(task, stream) for task in tasks for stream in streams]
    shown: Followed | None = followed[0] if len(followed) == 1 else None
    while followed:
        going = []
        for one in followed:
            job = found_task(session, campaign, one.task)
            piece = one.news(_output(session, job, one.stream), tail)
            if piece and shown is not one:
                session.write(f"==> task {one.task}: {one.stream} <==\n".encode())
                shown = one
            if piece:
                session.write(piece)
            if job["state"] not in ENDED:
                going.append(one)
        followed = going
        if followed:
            time.sleep(LOOK)
    return Exit.DONE


def _output(session: Session, job: Job, stream: Stream) -> bytes:
    """Return what a task has written; nothing, if it has not started."""
    try:
        return session.client.output(job["id"], stream)
    except NotFound:
        return b""
