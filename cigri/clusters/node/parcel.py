"""What a submission lays on a cluster: a parcel of commands, lines and files."""

import base64
import itertools
import re
from collections.abc import Mapping, Sequence

import attrs

from cigri.clusters.driver import Batch
from cigri.clusters.group_files import tasks_file
from cigri.clusters.node.files import in_files
from cigri.clusters.node.places import HOME, directory
from cigri.clusters.node.records import records, settings_of
from cigri.clusters.node.script import (
    PROGRAM,
    ROWS,
    WORKER,
    Source,
    array_script,
    compress,
    group_script,
    inline_command,
    inline_source,
)
from cigri.domain.model import RemoteId, Shape
from cigri.errors import SubmissionRejected

#: What no shell and no cluster sees anything in.
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=-]*")


@attrs.frozen(kw_only=True)
class Parcel:
    """A submission as its cluster takes it, in characters that no shell sees anything in."""

    #: What each job runs, but for its line; a lone job has its line appended after a space.
    command: str
    #: One for each remote job, by position (ARRAY) or place (GROUP).
    lines: Sequence[str]
    #: To be there before the submission, by path; none where everything travels inline.
    files: Mapping[str, bytes] = attrs.field(factory=dict)
    #: To be there once for each user: the path holds the version.
    shared: Mapping[str, bytes] = attrs.field(factory=dict)


def pack(batch: Batch, *, inline: bool, most_bytes: int, warning: float = 0.0) -> Parcel:
    """
    Return what makes a cluster run *batch*.

    Args:
        batch: An ARRAY of one job, a prologue or an epilogue, or any number of GROUPs.
        inline: Whether no file can be sent: all travels in the command and its lines.
        most_bytes: Of one file, or, inline, of a command with its line.
        warning: Seconds before its walltime at which a task of a group that wants it is warned;
            0: never.

    Raises:
        SubmissionRejected: The settings of the submission, or inline a task or group of it, are
            too large for that.
    """
    if not _TAG.fullmatch(batch.tag):
        message = f"not a tag: {batch.tag!r}"
        raise ValueError(message)
    if inline:
        return _inline(batch, most_bytes, warning)
    is_array = batch.shape is Shape.ARRAY
    portions = _portions(batch, warning)
    files = in_files(
        portions,
        lambda source: _script(batch, source, carries_worker=False),
        is_array=is_array,
        most_bytes=most_bytes,
    )
    count = sum(map(len, portions)) if is_array else len(portions)
    return Parcel(
        command=f"exec sh {directory(batch.tag)}/run",
        lines=list(map(str, range(count))),
        files={f"{directory(batch.tag)}/{name}": content for name, content in files.items()},
        shared={} if is_array else {f"{HOME}/{WORKER}": PROGRAM.encode()},
    )


def _inline(batch: Batch, most_bytes: int, warning: float) -> Parcel:
    portions = _portions(batch, warning)
    is_array = batch.shape is Shape.ARRAY
    source = inline_source(is_array=is_array)
    command = inline_command(_script(batch, source, carries_worker=True))
    if is_array:
        records = itertools.chain.from_iterable(portions)
        lines = [f"{i} {_base64(record[:-1])}" for i, record in enumerate(records)]
    else:
        lines = [
            f"{i} {len(portion)} {_base64(compress(b''.join(portion)))}"
            for i, portion in enumerate(portions)
        ]
    size = len(command) + 1 + max(map(len, lines), default=0)
    if size > most_bytes:
        message = (
            f"a command of {size} bytes: the cluster takes {most_bytes}, and no files; put what"
            " is long into a file there, and give the tasks its name"
        )
        raise SubmissionRejected(message)
    return Parcel(command=command, lines=lines)


def _portions(batch: Batch, warning: float) -> list[list[bytes]]:
    """Return the lines that are packed together: records of tasks, or the files of groups."""
    if batch.shape is Shape.ARRAY:
        lines = records(batch, list(itertools.chain.from_iterable(batch.jobs.values())))
        return [lines[i : i + ROWS] for i in range(0, len(lines), ROWS)]
    warned = batch.settings.checkpointing_type is not None
    return [
        tasks_file(
            batch,
            RemoteId(f"{batch.tag}/{place}"),
            orders,
            lasts=batch.walltime,
            warned=warned,
            warning=warning if warned else 0.0,
        ).splitlines(keepends=True)
        for place, orders in enumerate(batch.jobs.values())
    ]


def _script(batch: Batch, source: Source, *, carries_worker: bool) -> str:
    if batch.shape is Shape.GROUP:
        return group_script(batch.tag, source, carries_worker=carries_worker)
    is_script = batch.script is not None
    return array_script(batch.tag, settings_of(batch), source, is_script=is_script)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
