"""What the jobs of a cluster have left behind: their ends, the journals and outputs of groups."""

import os
from collections.abc import Collection, Mapping

import attrs

from cigri.clusters import journal
from cigri.clusters.driver import JobRef, JobReport, Output
from cigri.clusters.node.script import ENDS
from cigri.domain.verdict import Ending
from cigri.errors import NotFound

#: The exit status of a job whose cluster tells nonsense of it.
_BAD = 255


def journal_lines(job: JobRef) -> int:
    """Return how many of the last lines of a GROUP's journal hold all that is not settled yet."""
    return 2 * len(job.open) + 8


def read_journal(text: bytes, job: JobRef) -> JobReport:
    """Return what *text*, at least the last `journal_lines`, says of the open tasks of a GROUP."""
    news = journal.read_tail(text, job.running, job.open.values())
    return attrs.evolve(news.report(), read_to=0)


def places_of(text: bytes, tasks: Collection[int]) -> Mapping[int, journal.Extent]:
    """Return where what *tasks* wrote lies, by the whole journal *text* of their GROUP."""
    return journal.extents(text, tasks)


def cut_output(
    text: bytes, packed: bytes, task: int, stream: Output, limit: int, *, is_whole: bool = True
) -> bytes:
    """
    Return the last *limit* bytes that *task* wrote.

    Args:
        text: The whole journal of its GROUP.
        packed: The `packed_file` of its slot, or the end of it.
        task: Its number.
        stream: Which of the two.
        limit: At most that many bytes.
        is_whole: Whether *packed* is all of the file.

    Raises:
        NotFound: The journal does not know the task, or *packed* does not reach back to it.
    """
    place = journal.extents(text, [task]).get(task)
    if place is None:
        message = f"its job has no task {task}"
        raise NotFound(message)
    begin, end = place.out if stream is Output.OUT else place.err
    before = 0 if is_whole else _missing(text, packed, place, stream)
    # The journal may say anything: what is cut lies in this text.
    end = len(packed) if end is None else min(max(end - before, 0), len(packed))
    if end == 0 and before > 0:
        message = f"what task {task} wrote lies too far back in a long file of its job"
        raise NotFound(message)
    return packed[min(max(begin - before, end - limit, 0), end) : end]


def _missing(text: bytes, packed: bytes, place: journal.Extent, stream: Output) -> int:
    """Return how many bytes of a file are missing before *packed*, its end."""
    begin, end = place.out if stream is Output.OUT else place.err
    length = journal.length(text, place.slot, stream)
    if length is None:
        # It still grows.  What the task that runs there has written is at the very end; where
        # others have is not known, and far back.
        return begin if end is None else end
    return max(0, length - len(packed))


def ending_of(wait_status: int) -> tuple[Ending, int | None]:
    """
    Return who ended a job, and its exit status (minus the signal that ended it), if any.

    >>> ending_of(768), ending_of(9)
    ((<Ending.EXITED: '-'>, 3), (<Ending.EXITED: '-'>, -9))

    The scripts end themselves by signals.  As a status above 128 these would be a program's own: a
    shell in between would make them that, and there is none, as every command begins with `exec`.
    """
    try:
        status = os.waitstatus_to_exitcode(wait_status)
    except (ValueError, OverflowError):
        # A cluster may say anything; such a job did not end well.
        status = _BAD
    ours = ENDS.get(-status)
    return (Ending.EXITED, status) if ours is None else (ours, None)
