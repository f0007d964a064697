"""Where the parts of a submission lie in the home of its user on a cluster.

Everything lies in one directory for each submission; paths are relative to the home, where jobs
start, and hold only characters that no cluster misreads::

    .cigri/worker-HASH.py      the worker, once for each user and version
    .cigri/TAG/run             a shell script that runs one of the jobs, and the jobs themselves
    .cigri/TAG/part.N          more of them, where one request cannot carry all
    .cigri/TAG/void            there, no job starts any more
    .cigri/TAG/log             what the cluster itself has to say of its jobs
    .cigri/TAG/POSITION.out    what the task at that position of an array has printed; so `.err`
    .cigri/TAG/PLACE/          the directory of a group, as `worker.py` knows it
"""

from cigri.clusters.driver import JobRef, Output

#: Where everything of CiGri lies; the driver closes it to others than its user.
HOME = ".cigri"


def directory(tag: str) -> str:
    """Return where everything of a submission lies."""
    return f"{HOME}/{tag}"


def void_file(tag: str) -> str:
    """Return the file whose presence keeps the jobs of a submission from starting."""
    return f"{directory(tag)}/void"


def log_file(tag: str) -> str:
    """Return where jobs print that say nothing of their own: for `stdout` and `stderr`."""
    return f"{directory(tag)}/log"


def output_file(job: JobRef, position: int, stream: Output) -> str:
    """Return what the task at *position* of an ARRAY writes; why it did not start is in `err`."""
    return f"{directory(job.tag)}/{position}.{stream}"


def packed_file(job: JobRef, slot: int, stream: Output) -> str:
    """Return what the tasks write that ran in *slot* of a GROUP, one after the other."""
    return f"{_group(job)}/{stream}.{slot}"


def journal_file(job: JobRef) -> str:
    """Return the journal of a GROUP."""
    return f"{_group(job)}/journal"


def stop_file(job: JobRef) -> str:
    """Return the file in which a GROUP reads `withdraw` or `kill`."""
    return f"{_group(job)}/stop"


def cancel_file(job: JobRef) -> str:
    """Return the file in which a GROUP reads which tasks to leave out, a number on each line."""
    return f"{_group(job)}/cancel"


def _group(job: JobRef) -> str:
    return f"{directory(job.tag)}/{job.place}"
