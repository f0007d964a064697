"""`demo`: a real computation from its submission to its picture, failures and repair included."""

import contextlib
import json
import tempfile
from pathlib import Path

import asyncclick
import attrs

from cigri.cli import causes
from cigri.cli.description import Description
from cigri.cli.failures import Exit
from cigri.cli.following import outcome
from cigri.cli.private import reachable
from cigri.cli.session import Session, command
from cigri.cli.submitting import again, follow_here, submit
from cigri.client.bodies import Campaign
from cigri.demo import ising, sweep
from cigri.demo.gather import gather, write_csv
from cigri.demo.picture import picture
from cigri.errors import Conflict, InvalidInput, NotAllowed
from cigri.words import counted

INTRODUCTION = """\
The two-dimensional Ising model on this host: each of {tasks} tasks simulates one temperature
with one seed. {unlucky} of them fail at their first attempt, on purpose."""


@command("demo")
@asyncclick.option("--private", is_flag=True, help="Start a server even if one answers.")
@asyncclick.option(
    "--directory",
    type=asyncclick.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where everything is written.  [default: a temporary directory]",
)
@asyncclick.option(
    "--sweeps",
    type=asyncclick.IntRange(min=1),
    default=ising.SWEEPS,
    show_default=True,
    help="How long each task computes: fewer are quicker, and scatter more.",
)
def demo(session: Session, private: bool, directory: Path | None, sweeps: int) -> Exit:
    """
    Watch a real campaign on this host: the Ising model, from submission to picture.

    Some of its tasks fail at first: it shows the event, its cause, and the command that repairs
    it. It takes half a minute on two cores.
    """
    place = (directory or Path(tempfile.mkdtemp(prefix="cigri-demo-"))).resolve()
    place.mkdir(parents=True, exist_ok=True)
    description = _describe(place, sweeps)
    lines = sweep.parameters()
    unlucky = sum("--fail-once" in line for line in lines)
    session.show(INTRODUCTION.format(tasks=len(lines), unlucky=unlucky))
    with contextlib.ExitStack() as servers:
        return _start(session, servers, description, place, private=private).run()


@attrs.frozen
class Demonstration:
    """The steps that follow the submission, each under the command that a user would type."""

    session: Session
    directory: Path
    campaign: int
    #: What a server of its own keeps, if there is one.
    server: Path | None

    def run(self) -> Exit:
        """Go through all steps and return how the campaign ended."""
        last = self.follow(f"cigri run {self.directory / 'ising.json'}")
        if outcome(last) is Exit.TASKS_FAILED:
            last = self.repair()
        if outcome(last) is Exit.DONE:
            self.conclude()
        if self.session.as_json:
            self.session.write(self.session.client.get(f"/campaigns/{self.campaign}").content)
        return outcome(last)

    def follow(self, as_if: str) -> Campaign:
        """Follow the campaign to its end and return it."""
        self.prompt(as_if)
        return follow_here(self.session, self.campaign, self.server)

    def repair(self) -> Campaign:
        """Show what went wrong, run it again, and return the campaign as it then ends."""
        client = self.session.client
        self.prompt(f"cigri events {self.campaign}")
        self.session.show(causes.screen(client.events(self.campaign)))
        self.prompt(f"cigri fix {self.campaign} --resubmit")
        fixed = client.fix(self.campaign, resubmit=True)
        closed, again = counted(fixed["closed"], "event"), counted(fixed["resubmitted"], "task")
        self.session.show(f"campaign {self.campaign}: {closed} closed, {again} will run again")
        return self.follow(f"cigri stat {self.campaign} --watch")

    def conclude(self) -> None:
        """Gather the results of all tasks into a table and a picture."""
        measurements = gather(self.directory / "results")
        table, drawing = self.directory / "ising.csv", self.directory / "ising.svg"
        write_csv(measurements, table)
        drawing.write_text(picture(measurements), encoding="utf-8")
        told = [
            f"\nresults   {self.directory / 'results'} ({counted(len(measurements), 'file')})",
            f"table     {table}",
            f"picture   {drawing}",
        ]
        if self.server is not None:
            told.append(f"history   {again(self.server)}")
        self.session.show("\n".join(told))

    def prompt(self, command: str) -> None:
        """Show the command that does what comes next."""
        self.session.show(f"\n$ {command}")


def _start(
    session: Session,
    servers: contextlib.ExitStack,
    description: Description,
    place: Path,
    *,
    private: bool,
) -> Demonstration:
    """Submit to the server that answers or, if it does not take the campaign, to a private one."""
    server = servers.enter_context(reachable(session, place / "server", private=private))
    try:
        campaign = submit(session, description)
    except (NotAllowed, InvalidInput, Conflict) as error:
        if server is not None:
            raise
        session.say(f"{session.client.address} does not take it: {error}")
        server = servers.enter_context(reachable(session, place / "server", private=True))
        campaign = submit(session, description)
    return Demonstration(session, place, campaign.json()["id"], server)


def _describe(place: Path, sweeps: int) -> Description:
    path = place / "ising.json"
    path.write_text(
        json.dumps(sweep.description(place, sweeps), indent=2) + "\n", encoding="utf-8"
    )
    return Description(str(path), path.read_bytes())
