"""The real OAR 2.5 of `oar2.sh`, as tests use it."""

import contextlib
import csv
import io
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

SCRIPT = Path(__file__).with_name("oar2.sh")
#: How the script is called in what people read.
COMMAND = "tests/testbed/oar2.sh up"
#: Where OAR believes whatever login it is told.
URL = "http://127.0.0.1:6668/oarapi"
#: Where a login and its password are asked for.
BASIC_URL = "http://127.0.0.1:6668/oarapi-priv"
PASSWORDS = {"alice": "alicepw", "bob": "bobpw"}
#: Where only the holder of a certificate is believed.
TLS_URL = "https://localhost:6669/oarapi-cigri"
CERTIFICATES = Path("/etc/oar/testbed/ssl")
USERS = ("alice", "bob")
CORES = 16
#: What `start` and `stop` take.
DAEMONS = ("database", "nodes", "server", "api")


def answers() -> bool:
    """Return whether all of it is up."""
    try:
        done = httpx.get(f"{URL}/resources.json", headers=_headers("alice"), timeout=10)
    except httpx.HTTPError:
        return False
    return done.status_code == 200 and done.json()["total"] > 0


def _headers(user: str) -> dict[str, str]:
    return {"X_REMOTE_IDENT": user, "Accept": "application/json"}


class Oar2:
    """Starts and stops its daemons, and asks it behind the back of whoever is tested."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._made: list[tuple[str, int]] = []

    def up(self) -> None:
        """Start what does not run; nodes that were suspected are alive again."""
        self._run("start", *DAEMONS)

    def start(self, *daemons: str) -> None:
        """Start `database`, `nodes`, `server` or `api`."""
        self._run("start", *daemons)

    def stop(self, *daemons: str) -> None:
        """Stop one of these."""
        self._run("stop", *daemons)

    def kill(self, *daemons: str) -> None:
        """Stop one of these in the middle of whatever it does."""
        self._run("kill", *daemons)

    @contextlib.contextmanager
    def without(self, *daemons: str) -> Iterator[None]:
        """Do without these during a block."""
        self.stop(*daemons)
        try:
            yield
        finally:
            self.start(*daemons)

    def _run(self, act: str, *daemons: str) -> None:
        # What the daemons inherit would keep a pipe open for as long as they live.
        done = subprocess.run(
            ["bash", str(SCRIPT), act, *daemons],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{SCRIPT.name} {act} {' '.join(daemons)} failed"

    def sql(self, query: str) -> list[dict[str, str]]:
        """Return rows of its database, as text; what is NULL is empty."""
        done = subprocess.run(
            ["psql", "-X", "--csv", "-h", "127.0.0.1", "-p", "5466", "-U", "oar", "oar"],
            env={**os.environ, "PGPASSWORD": "oar2pass"},
            input=query,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert not done.stderr, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def last_job(self) -> int:
        """Return the number of the newest job: those of a test come after it."""
        return int(self.sql("SELECT coalesce(max(job_id), 0) AS id FROM jobs")[0]["id"])

    def jobs_since(self, last: int) -> list[dict[str, str]]:
        """Return all jobs newer than job *last*, with their events' types in `events`."""
        return self.sql(
            "SELECT jobs.*, coalesce((SELECT string_agg(type, ' ' ORDER BY event_id)"  # noqa: S608
            " FROM event_logs WHERE event_logs.job_id = jobs.job_id), '') AS events"
            f" FROM jobs WHERE job_id > {int(last)} ORDER BY job_id"
        )

    def get(self, path: str, user: str = "alice", **parameters: str) -> Any:
        """Return what its API answers at *path*, as *user*."""
        done = self._http.get(f"/{path}", params=parameters, headers=_headers(user))
        done.raise_for_status()
        return done.json()

    def submit(self, user: str, **order: Any) -> list[int]:
        """Submit as `oarsub` does; return the numbers of the jobs."""
        done = self._http.post("/jobs.json", json=order, headers=_headers(user))
        done.raise_for_status()
        lines = done.json()["cmd_output"].splitlines()
        made = [int(line.split("=")[1]) for line in lines if line.startswith("OAR_JOB_ID=")]
        self._made += [(user, job) for job in made]
        return made

    def delete(self, user: str, *jobs: int) -> None:
        """Delete jobs as `oardel` does; those that have ended are no error."""
        for job in jobs:
            self._http.delete(f"/jobs/{job}.json", headers=_headers(user))

    def clear(self) -> None:
        """Delete what `submit` has made."""
        while self._made:
            self.delete(*self._made.pop())


@contextlib.contextmanager
def opened() -> Iterator[Oar2]:
    """Give the OAR with everything up, and leave it so, without the jobs that `submit` made."""
    with httpx.Client(base_url=URL, timeout=120) as http:
        found = Oar2(http)
        found.up()
        try:
            yield found
        finally:
            found.up()
            found.clear()


def cluster(name: str = "oar", options: Mapping[str, object] | None = None) -> str:
    """Return the configuration of this cluster, for a server that runs on this host."""
    settings = {"driver": "oar2", "url": URL, "auth": "header", **(options or {})}
    lines = [f"{key} = {_toml(value)}" for key, value in settings.items()]
    return "\n".join([f"[clusters.{name}]", *lines, ""])


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str | Path) else str(value)
