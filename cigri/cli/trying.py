"""`sub --try`: the first task of a campaign, here and now."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

from cigri.cli.description import expanded
from cigri.cli.failures import Exit
from cigri.cli.session import Session
from cigri.client.bodies import Preview
from cigri.errors import CigriError, NotFound
from cigri.words import clean, ending_status, lasting


def first_task(session: Session, preview: Preview) -> Exit:
    """
    Run the first task of what would be submitted, with this terminal's output.

    It has neither the walltime nor the cores that its cluster would give it.

    Raises:
        NotFound: There is no task.
        CigriError: Its command cannot be started.
    """
    if not preview["commands"]:
        raise NotFound("the campaign has no task").trying("give it parameters, or nb_jobs")
    sample = preview["commands"][0]
    settings = _settings(preview["jdl"])
    directory = expanded(str(settings.get("exec_directory") or "~"))
    session.say(f"here, now: {clean(sample['command'])}  (in {directory})")
    begin = time.monotonic()
    code = _run(sample["argv"], directory, _environment(settings))
    took = lasting(time.monotonic() - begin)
    session.say(f"exit {ending_status(code)} after {took}; nothing submitted")
    return Exit.TASKS_FAILED if code else Exit.DONE


def _run(argv: list[str], directory: Path, environment: dict[str, str]) -> int:
    try:
        return subprocess.run(
            argv, cwd=directory, env=environment, stdin=subprocess.DEVNULL, check=False
        ).returncode
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CigriError(f"the command cannot be started: {error.filename}: {reason}").trying(
            "correct exec_file or exec_directory, then the same command again"
        ) from error


def _settings(jdl: dict[str, Any]) -> dict[str, Any]:
    """Return what the description says of its first cluster."""
    clusters: dict[str, dict[str, Any]] = jdl.get("clusters") or {}
    return jdl | next(iter(clusters.values()), {})


def _environment(settings: dict[str, Any]) -> dict[str, str]:
    """Return what the task finds in its environment, but for what only its cluster knows."""
    given = settings.get("env") or {}
    return {**os.environ, **{name: str(value) for name, value in given.items()}}
