"""CiGri from Python, for scripts and notebooks: every call waits for its answer."""

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from cigri.client import asking
from cigri.client.campaign import Campaign
from cigri.client.composing import Axes, compose
from cigri.client.connection import Connection
from cigri.client.connection import connect as open_http
from cigri.client.finding import find


def connect(url: str | None = None) -> "Cigri":
    r"""
    Return the server at *url*, or the first that answers at the usual places.

    These are CIGRI_URL, your own server's socket, and the socket of this host's server; over TCP
    a token is read from the file that CIGRI_TOKEN_FILE names.

    >>> c = cigri.connect()
    >>> campaign = c.submit("echo", params=["hello", "world"])
    >>> campaign.wait().state
    'terminated'
    >>> campaign.task(1).stdout()
    'world\n'

    Raises:
        ServerUnreachable: None does.
    """
    address = find(url)
    return Cigri(Connection(open_http(address), str(address)))


class Cigri:
    """A server; what goes wrong there is raised as one of `cigri.errors`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __repr__(self) -> str:
        return f"<Cigri at {self._connection.name}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def submit(
        self,
        command: str | Sequence[str] | Mapping[str, object],
        *,
        params: object = None,
        grid: Axes | None = None,
        zip: Axes | None = None,  # noqa: A002 - the word that Python has for it
        clusters: str | Iterable[str] | Mapping[str, object] | None = None,
        **fields: object,
    ) -> Campaign:
        """
        Create a campaign: *command* with each of *params*, or with each point of a sweep.

        *command* is the program with its first arguments, or a whole description as a mapping.
        *params* is a list, a number (the parameters are then 0, 1, …), a `Path` whose lines they
        are, or an iterator, which is sent as it is read. *grid* takes each combination of its
        values, *zip* the first of each, then the second. Further *fields* are those of the JDL:
        `walltime`, `name`, `type`, `max_jobs`, `env`, …

        >>> c.submit("echo", grid={"T": [0.5, 1.5], "seed": range(3)}, name="visc").total
        6
        >>> c.submit(["sh", "-c", 'echo "got $1"', "sh"], params=3, walltime="5m").total
        3
        >>> c.submit({"name": "old", "exec_file": "true", "nb_jobs": 2, "clusters": {"local": {}}})
        <Campaign ... 'old': in_treatment, 0/2 done>
        >>> c.submit("echo", params=["a"], waltime="5m")
        Traceback (most recent call last):
        cigri.errors.InvalidJdl: ... /waltime: ...did you mean "walltime"?...

        Raises:
            InvalidJdl: The description has mistakes, all of which are named.
        """
        composed = compose(
            command, params=params, grid=grid, together=zip, clusters=clusters, fields=fields
        )
        body = self._connection.speak(asking.submission(composed))
        return Campaign(self._connection, body, composed.names)

    def campaign(self, number: int) -> Campaign:
        """
        Return a campaign by its number.

        >>> c.campaign(campaign.id).name
        'echo'

        Raises:
            NotFound: There is none.
        """
        return Campaign(self._connection, self._connection.speak(asking.campaign(number)))

    def campaigns(self, state: str | None = None) -> list[Campaign]:
        """
        Return the campaigns that are not over, or those in *state* (also `all`).

        >>> campaign.id in [one.id for one in c.campaigns("terminated")]
        True
        """
        found = self._connection.speak(asking.campaigns(state))
        return [Campaign(self._connection, body) for body in found]
