"""Run COUNT tasks of PROGRAM on SLOTS cores with HyperQueue, and print what that took as JSON.

Its Python package carries server and worker as a library but no `hq` program, so this file drives
its Python interface, one task description each.  It looks once a second whether all have ended, so
its wall time is up to a second too long.  It runs in whatever Python has the package.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path


def cpu() -> float:
    """Return the CPU seconds of this process, its threads, and its children that ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main() -> None:
    """Measure from the submission to the end of the last task; the cluster's start is free."""
    import hyperqueue  # type: ignore[import-not-found]  # noqa: PLC0415
    from hyperqueue.cluster import (  # type: ignore[import-not-found]  # noqa: PLC0415
        LocalCluster,
        WorkerConfig,
    )

    count, slots, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    directory = tempfile.mkdtemp(prefix="hyperqueue-", dir=Path.cwd())
    with LocalCluster(directory, WorkerConfig(cores=slots)) as cluster:
        client = cluster.client()
        job = hyperqueue.Job()
        for _ in range(count):
            job.program([program], stdout=None, stderr=None)
        began, cpu_before = time.perf_counter(), cpu()
        client.wait_for_jobs([client.submit(job)])
        print(json.dumps({"wall": time.perf_counter() - began, "cpu": cpu() - cpu_before}))


if __name__ == "__main__":
    main()
