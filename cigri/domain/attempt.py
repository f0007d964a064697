"""What became of one attempt at a task."""

import attrs

from cigri.domain.model import ClusterName, JobId, RemoteId, TaskNumber
from cigri.domain.verdict import Ending


@attrs.frozen(kw_only=True)
class Attempt:
    """An attempt at a task that has ended."""

    task: TaskNumber
    #: 1 for the first that started; of one that never did, the number of the one before.
    number: int
    cluster: ClusterName
    job: JobId
    remote_id: RemoteId | None
    #: How it ended, unless that settled its task.
    ending: Ending | None
    #: 0 to 255 as the program exited, minus the signal that ended it, `None` if it never did.
    exit_status: int | None
    started_at: float
    ended_at: float
