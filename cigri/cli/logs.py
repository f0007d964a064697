"""`logs`: what tasks wrote."""

from collections.abc import Iterable, Iterator, Sequence

import asyncclick

from cigri.cli.arguments import identify, one_campaign
from cigri.cli.failures import Exit
from cigri.cli.selectors import Part
from cigri.cli.session import Session, command
from cigri.cli.tailing import Stream, follow_outputs, found_task
from cigri.client.bodies import Job
from cigri.errors import NotFound
from cigri.words import clean, ending_status, parameter_words

BOTH: tuple[Stream, ...] = ("stdout", "stderr")


@command(
    "logs",
    examples=(
        "cigri logs 12 7",
        "cigri logs 12 7 --follow",
        "cigri logs 12 7 --stdout > seven.txt",
        "cigri logs 12 --failed --stderr --tail 3 | less",
    ),
)
@one_campaign
@asyncclick.argument("tasks", type=asyncclick.IntRange(min=0), nargs=-1)
@asyncclick.option("--failed", is_flag=True, help="Of all tasks that failed.")
@asyncclick.option("--stdout", "streams", flag_value="stdout", help="Standard output alone.")
@asyncclick.option("--stderr", "streams", flag_value="stderr", help="Standard error alone.")
@asyncclick.option(
    "--tail", type=asyncclick.IntRange(min=1), metavar="LINES", help="The last lines alone."
)
@asyncclick.option("-f", "--follow", is_flag=True, help="Go on printing until they have ended.")
def logs(
    session: Session,
    *,
    campaign: tuple[Part, ...],
    tasks: Sequence[int],
    failed: bool,
    streams: Stream | None,
    tail: int | None,
    follow: bool,
) -> Exit:
    """
    Print what TASKS of CAMPAIGN wrote, also while they run.

    One stream of one task comes as it is, others under a line that names them.
    """
    if bool(tasks) == failed:
        raise asyncclick.UsageError("give the numbers of tasks, or --failed")
    if follow and session.as_json:
        raise asyncclick.UsageError("--follow prints what is written as it is: not as JSON")
    number = identify(session, campaign)
    chosen: tuple[Stream, ...] = BOTH if streams is None else (streams,)
    bare = len(tasks) == 1 and len(chosen) == 1
    if follow and tasks:
        return follow_outputs(session, number, dict.fromkeys(tasks), chosen, tail)
    found = (
        session.client.jobs(number, state="failed") if failed else _find(session, number, tasks)
    )

    def show(job: Job | NotFound) -> None:
        if isinstance(job, NotFound):
            raise job
        _print(session, job, chosen, tail, bare=bare)

    return session.each(found, show)


def _find(session: Session, campaign: int, tasks: Iterable[int]) -> Iterator[Job | NotFound]:
    for task in tasks:
        try:
            yield found_task(session, campaign, task)
        except NotFound as error:
            yield error


def _print(
    session: Session, job: Job, streams: tuple[Stream, ...], tail: int | None, *, bare: bool
) -> None:
    if session.as_json:
        options = {} if tail is None else {"tail": tail}
        for stream in streams:
            session.write(session.client.get(f"/jobs/{job['id']}/{stream}", **options).content)
        return
    outputs = {stream: session.client.output(job["id"], stream, tail) for stream in streams}
    if bare:
        session.write(outputs[streams[0]])
        return
    if not any(outputs.values()):
        session.write(f"==> {_title(job)}: nothing <==\n".encode())
    for stream, output in outputs.items():
        if output:
            end = b"" if output.endswith(b"\n") else b"\n"
            session.write(f"==> {_title(job)}: {stream} <==\n".encode() + output + end)


def _title(job: Job) -> str:
    status = ending_status(job["exit_status"])
    told = f"{job['state']}, exit {status}" if status else job["state"]
    return clean(f"task {job['task']} ({parameter_words(job['parameters'])}; {told})")
