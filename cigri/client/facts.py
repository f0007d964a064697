"""What is known of campaigns and tasks without asking the server again."""

from collections.abc import Mapping, Sequence

from cigri.client import pictures
from cigri.client.bodies import Campaign, Job
from cigri.client.dialogue import Parameters


class CampaignFacts:
    """A campaign as it was when it was last looked at: `refresh` looks again."""

    def __init__(self, body: Campaign, names: Sequence[str] | None = None) -> None:
        self._names = names
        #: What the server answered.
        self.body = body

    def __repr__(self) -> str:
        return pictures.short(self.body)

    def _repr_html_(self) -> str:
        return pictures.as_html(self.body)

    @property
    def id(self) -> int:
        """Return its number."""
        return self.body["id"]

    @property
    def name(self) -> str:
        """Return its name."""
        return self.body["name"]

    @property
    def state(self) -> str:
        """Return `in_treatment`, `paused`, `terminated` or `cancelled`."""
        return self.body["state"]

    @property
    def total(self) -> int:
        """Return how many tasks it has."""
        return self.body["total_jobs"]

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many of its tasks are in each state."""
        return dict(self.body["counts"])  # type: ignore[arg-type] # all of its values are

    @property
    def names(self) -> Sequence[str]:
        """Return the names of the words of a parameter: the axes of a sweep."""
        if self._names is None:
            self._names = self.body.get("parameter_names", ())
        return self._names


class TasksFacts:
    """Some tasks of a campaign, as they are asked for."""

    def __init__(self, campaign: int, names: Sequence[str], chosen: Parameters) -> None:
        self._campaign = campaign
        self._names = names
        self._chosen = chosen

    def __repr__(self) -> str:
        state, rest = self._chosen.get("state"), {**self._chosen}
        rest.pop("state", None)
        which = f"{state} tasks" if state else "tasks"
        with_ = ", ".join(f"{name}={value!r}" for name, value in rest.items())
        return f"<{which} of campaign {self._campaign}{f' with {with_}' if with_ else ''}>"


class TaskFacts:
    """One task, as it was when it was looked at."""

    def __init__(self, body: Job) -> None:
        #: What the server answered.
        self.body = body

    def __repr__(self) -> str:
        return f"<Task {self.number} {self.parameter!r}: {self.state}>"

    @property
    def number(self) -> int:
        """Return its number in the campaign."""
        return self.body["task"]

    @property
    def parameter(self) -> str | list[str]:
        """Return its parameter."""
        return self.body["parameters"]

    @property
    def state(self) -> str:
        """Return `pending`, `queued`, `running`, `terminated`, `failed` or `cancelled`."""
        return self.body["state"]

    @property
    def exit_status(self) -> int | None:
        """Return how it ended: negative is the signal that ended it."""
        return self.body["exit_status"]
