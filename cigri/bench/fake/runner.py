"""Runs the jobs of the fake OAR for real, as the user of this process, in homes below a folder."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import IO

from cigri.bench.fake.cluster import Cluster
from cigri.bench.fake.files import Homes
from cigri.bench.fake.model import Job
from cigri.clusters.worker import carriers, kill


class Runner:
    """Starts what the cluster starts and tells it when that has ended."""

    def __init__(self, cluster: Cluster, homes: Homes) -> None:
        self._cluster = cluster
        self._homes = homes
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        cluster.run, cluster.stop, cluster.signal = self._start, self._stop, self._warn

    async def close(self) -> None:
        """End all that runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, job: Job) -> None:
        task = asyncio.get_running_loop().create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop(self, job: Job) -> None:
        process = self._processes.get(job.id)
        if process is not None and process.returncode is None:
            # Nothing of a job survives it: a worker's tasks have left its process group.
            mark = f"OAR_NODEFILE={self._node_file(job)}".encode()
            while pids := carriers(mark):
                for pid in pids:
                    kill(pid)

    def _warn(self, job: Job) -> None:
        self._signal(job, signal.SIGUSR2)

    def _signal(self, job: Job, number: signal.Signals) -> None:
        process = self._processes.get(job.id)
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    async def _run(self, job: Job) -> None:
        try:
            directory = self._homes.on_disk(job.sub.directory)
        except FileNotFoundError:
            directory = None
        if directory is None or not directory.is_dir():
            said = f"Cannot go into the working directory {job.sub.directory} of the job on node"
            self._cluster.fail(job, "WORKING_DIRECTORY", said)
            return
        try:
            out = _opened(directory, job, job.sub.stdout, "stdout")
            err = _opened(directory, job, job.sub.stderr, "stderr")
        except OSError:
            said = "Cannot create the output files of the job on node node1"
            self._cluster.fail(job, "OUTPUT_FILES", said)
            return
        with out, err:
            process = await self._spawned(job, directory, out, err)
        self._processes[job.id] = process
        if job.id not in self._cluster.running:
            self._stop(job)  # it was killed while it started
        warned = asyncio.get_running_loop().call_later(
            job.sub.walltime - job.sub.checkpoint, self._warn, job
        )
        try:
            code = await process.wait()
        finally:
            warned.cancel()
            self._stop(job)
            await process.wait()
            del self._processes[job.id]
        if job.id in self._cluster.running:
            self._cluster.advance()
            if job.id in self._cluster.running:
                self._cluster.end(job, code << 8 if code >= 0 else -code)
                self._cluster.advance()

    def _node_file(self, job: Job) -> Path:
        return self._homes.on_disk(f"/home/{job.sub.user}").parent / f"nodes.{job.id}"

    async def _spawned(
        self, job: Job, directory: Path, out: IO[bytes], err: IO[bytes]
    ) -> asyncio.subprocess.Process:
        home = self._homes.on_disk(f"/home/{job.sub.user}")
        nodes = self._node_file(job)
        nodes.write_text("node1\n" * job.sub.cores)
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "USER": job.sub.user,
            "LOGNAME": job.sub.user,
            "OAR_JOB_ID": str(job.id),
            "OAR_JOBID": str(job.id),
            "OAR_ARRAY_ID": str(job.sub.first),
            "OAR_ARRAY_INDEX": str(job.index + 1),
            "OAR_JOB_NAME": job.sub.name or "",
            "OAR_NODEFILE": str(nodes),
            "OAR_NODE_FILE": str(nodes),
            "OAR_WORKDIR": str(directory),
            "OAR_JOB_WALLTIME_SECONDS": str(job.sub.walltime),
        }
        return await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", job.command, cwd=directory, env=environ, start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip


def _opened(directory: Path, job: Job, named: str | None, stream: str) -> IO[bytes]:
    name = (named or f"OAR.%jobid%.{stream}").replace("%jobid%", str(job.id))
    return (directory / name).open("ab")
