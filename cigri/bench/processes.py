"""What processes cost, as the kernel counts it."""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

_TICKS = os.sysconf("SC_CLK_TCK")


@attrs.frozen(kw_only=True)
class Cost:
    """What a run took."""

    #: Seconds.
    wall: float
    #: CPU seconds of everything that took part.
    cpu: float
    #: CPU seconds that others used meanwhile: a figure of a busy machine is no figure.
    foreign: float = 0.0


def run(command: Sequence[str], *, stdin: Path | None = None, env: dict[str, str]) -> Cost:
    """
    Run *command* to its end and return its cost, with all processes that it started and awaited.

    Raises:
        RuntimeError: It failed.
    """
    with open(stdin or os.devnull, "rb") as source, open(os.devnull, "wb") as sink:  # noqa: PTH123
        files = [
            (os.POSIX_SPAWN_DUP2, source.fileno(), 0),
            (os.POSIX_SPAWN_DUP2, sink.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, sink.fileno(), 2),
        ]
        busy, began = machine_cpu(), time.perf_counter()
        pid = os.posix_spawn(command[0], list(command), env, file_actions=files)
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{command[0]} failed: {os.waitstatus_to_exitcode(status)}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(wall=wall, cpu=cpu, foreign=max(0.0, machine_cpu() - busy - cpu))


def tree_cpu(pids: Iterable[int]) -> float:
    """Return the CPU seconds so far of *pids* and of their children that ended."""
    return sum(map(_process_cpu, pids))


def _process_cpu(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    # The name, in parentheses, may hold anything; utime is the 14th field of all.
    fields = text.rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def machine_cpu() -> float:
    """Return the CPU seconds that this machine has spent on anything but waiting."""
    first = Path("/proc/stat").read_text().partition("\n")[0]
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, first.split()[1:])
    return (user + nice + system + irq + softirq) / _TICKS


def resident(pid: int) -> int:
    """Return the bytes of memory that *pid* occupies."""
    return _status(pid, "VmRSS")


def peak_resident(pid: int) -> int:
    """Return the most bytes that *pid* occupied since `forget_peak`."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Let the peak of *pid* begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"no {name} for process {pid}")
