"""What a cluster does with a parcel: it lays the files in a home and runs a line in a shell."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import attrs

from cigri.clusters import node
from cigri.clusters.driver import Batch, JobRef, Output, TaskOrder
from cigri.clusters.node import Parcel
from cigri.domain.model import (
    CampaignId,
    ClusterSettings,
    JobId,
    JobKind,
    Parameter,
    RemoteId,
    Shape,
    TaskId,
    TaskNumber,
)
from cigri.domain.verdict import Ending

TAG = "c12.1a-b"
#: Bytes of a request, as OAR's web server takes them.
MOST_BYTES = 120 * 1024
#: Bytes of a command, for a cluster that takes no files.
MOST_INLINE = 100_000
#: Seconds that anything may take before a test gives it up.
PATIENCE = 30.0

JOB = JobRef(remote_id=RemoteId("1"), user="ann", tag=TAG)


def orders(parameters: Sequence[Parameter]) -> list[TaskOrder]:
    return [
        TaskOrder(TaskNumber(number), 2, TaskId(1000 + number), parameter)
        for number, parameter in enumerate(parameters)
    ]


def batch(
    *groups: Sequence[Parameter],
    shape: Shape = Shape.ARRAY,
    name: str = "visc",
    kind: JobKind = JobKind.TASKS,
    script: str | None = None,
    lasts: float = 3600.0,
    **settings: object,
) -> Batch:
    asked = {"exec_file": "true", "walltime": 600.0, **settings}
    return Batch(
        tag=TAG,
        user="ann",
        campaign=CampaignId(12),
        campaign_name=name,
        settings=ClusterSettings(**asked),  # type: ignore[arg-type]
        jobs={JobId(i): orders(parameters) for i, parameters in enumerate(groups)},
        kind=kind,
        script=script,
        shape=shape,
        walltime=lasts,
    )


@attrs.define
class Home:
    """A user's home on a cluster."""

    path: Path
    #: The shell that the user logs in with, and its option to run a command.
    shell: tuple[str, ...] = ("/bin/bash", "-c")
    env: dict[str, str] = attrs.Factory(dict)

    def __attrs_post_init__(self) -> None:
        nodes = self.path / "nodefile"
        nodes.write_text("node7\nnode7\n")
        self.env = {
            "HOME": str(self.path),
            "PATH": os.environ["PATH"],
            "OAR_NODEFILE": str(nodes),
            **self.env,
        }

    def lay(self, parcel: Parcel) -> None:
        """Upload the files of a parcel."""
        for name, content in {**parcel.files, **parcel.shared}.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def start(self, parcel: Parcel, position: int = 0) -> subprocess.Popen[bytes]:
        """Start a remote job."""
        with (self.path / "log").open("ab") as log:
            return subprocess.Popen(
                [*self.shell, f"{parcel.command} {parcel.lines[position]}"],
                cwd=self.path,
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )

    def run(self, parcel: Parcel, position: int = 0) -> tuple[Ending, int | None]:
        """Run a remote job to its end and return how it ended."""
        with self.start(parcel, position) as process:
            process.wait(PATIENCE)
        status = process.returncode
        return node.ending_of(-status if status < 0 else status << 8)

    def output(self, position: int = 0, stream: Output = Output.OUT) -> bytes:
        return (self.path / node.output_file(JOB, position, stream)).read_bytes()

    def errors(self, position: int = 0) -> str:
        return self.output(position, Output.ERR).decode()

    def log(self) -> str:
        """Return what the shells that start things have complained of."""
        return (self.path / "log").read_text()


def pack(of: Batch, *, inline: bool, warning: float = 0.0) -> Parcel:
    most = MOST_INLINE if inline else MOST_BYTES
    return node.pack(of, inline=inline, most_bytes=most, warning=warning)
