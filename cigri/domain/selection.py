"""Which campaigns, and which of their tasks, a reader wants."""

import attrs

from cigri.domain.model import ClusterName, Parameter, TaskState

#: What has ended by itself.
FINISHED = frozenset({TaskState.SUCCEEDED, TaskState.FAILED})


@attrs.frozen(kw_only=True)
class Selection:
    """The tasks that are all of this; nothing given is no condition."""

    #: In one of these states.
    states: frozenset[TaskState] = frozenset()
    #: Held by a job of this cluster, or ended there last.
    cluster: ClusterName | None = None
    #: Whose last attempt to end had this exit status, or minus this signal.
    exit_status: int | None = None
    #: Whose parameter contains this, whether letters are large or small.
    text: str = ""

    @property
    def is_all(self) -> bool:
        """Return whether there is no condition."""
        return self == Selection()

    def reads(self, parameter: Parameter) -> bool:
        """
        Return whether a parameter contains the text.

        >>> Selection(text="SEED=7").reads("--seed=7"), Selection(text="b c").reads(("b", "c"))
        (True, True)
        """
        line = parameter if isinstance(parameter, str) else " ".join(parameter)
        return self.text.casefold() in line.casefold()


@attrs.frozen(kw_only=True)
class CampaignSelection:
    """The campaigns that are all of this; nothing given is no condition."""

    user: str | None = None
    #: That may run on this cluster.
    cluster: ClusterName | None = None
    tag: str | None = None
    #: Whose tags may be looked at; `None` for anybody's.
    tags_of: str | None = None
    #: In the name, whether its letters are large or small.
    text: str = ""
