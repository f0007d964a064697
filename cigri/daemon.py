"""The composition root: the only module that knows all the parts."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import attrs
import structlog

from cigri import log as log_settings
from cigri.api.app import create_app
from cigri.api.context import ApiSettings
from cigri.clusters import open_driver
from cigri.clusters.identity import make_directory, own_login
from cigri.config import MIB, Config, load
from cigri.domain.facts import Facts
from cigri.domain.model import ClusterName
from cigri.domain.reactions import REACTIONS, EventCode
from cigri.domain.scheduling import POLICIES
from cigri.engine.admission import load_rules
from cigri.engine.campaigns import Campaigns
from cigri.engine.measured import measured
from cigri.engine.metrics import Metrics
from cigri.engine.poller import Poller
from cigri.engine.progress import Progress
from cigri.engine.runtime import Runtime, Site
from cigri.engine.submitter import submit_once
from cigri.engine.supervisor import Loop, Pulse, run
from cigri.engine.tokens import digest_of, new_secret
from cigri.listening import listening, names, write_token
from cigri.places import SYSTEM_SOCKET, Places
from cigri.store import campaigns, clusters, custody, events, jobs, parameters
from cigri.store.database import Database, open_database
from cigri.store.events import Incident
from cigri.systemd import Notifier

log = structlog.get_logger()

#: Seconds from the signal to the end of the process, at most.
FAREWELL = 1.8


@attrs.frozen(kw_only=True)
class Service:
    """How this server is reached and how long it lives."""

    config: Config
    #: Where the token for TCP is written; `None` opens no TCP port.
    token: Path | None
    #: Ends with the process at the other end of standard input.
    private: bool = False


def prepare(file: Path | None, places: Places, *, database: Path | None, private: bool) -> Service:
    """
    Return the service that a configuration *file* describes, or the default one without it.

    A private server keeps everything in its own place and opens no TCP port.  It runs the tasks of
    root too, as whoever started it can run anything anyway.

    Raises:
        InvalidConfig: The file has mistakes.
    """
    config = load(file, places)
    log_settings.configure(config.server.log_level)
    if database is not None:
        server = attrs.evolve(config.server, database=database.absolute())
        config = attrs.evolve(config, server=server)
    if private:
        clusters_ = {name: cluster.running_root() for name, cluster in config.clusters.items()}
        config = attrs.evolve(config, clusters=clusters_)
    tcp = config.server.port and not private
    return Service(config=config, token=places.token if tcp else None, private=private)


async def serve(service: Service, *, adopt: bool = False) -> None:
    """
    Serve until SIGTERM or SIGINT; *adopt* a database that is a copy whose original is gone.

    Raises:
        CigriError: It cannot start; the message says what to do.
    """
    service = _at_its_own_name(service)
    database = service.config.server.database
    _check_place(database)
    with custody.sole_server(database):
        # For the server's user alone, as will be SQLite's log; a umask would be the tasks', too.
        database.touch(mode=0o600)
        await _serve(service, adopt=adopt)


def _at_its_own_name(service: Service) -> Service:
    """Return *service* with the database's own name: two links to one must not be two servers."""
    server = service.config.server
    server = attrs.evolve(server, database=server.database.resolve())
    return attrs.evolve(service, config=attrs.evolve(service.config, server=server))


def _check_place(database: Path) -> None:
    make_directory(database.parent, 0o711)
    custody.check_file_system(database, Path("/proc/self/mountinfo").read_text("utf-8"))


async def _serve(service: Service, *, adopt: bool) -> None:
    config = service.config
    for name, cluster in config.clusters.items():
        for risk in cluster.options.risks():
            log.warning("cluster.risk", cluster=name, risk=risk)
    rules = load_rules(config.admission.file, config.admission.contact)
    stop = asyncio.Event()
    _stop_on_signals(stop)
    async with contextlib.AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(config.server.database))
        runtime = await _runtime(database, service.config, adopt=adopt)
        for site in runtime.sites.values():
            stack.push_async_callback(site.driver.close)
        await _tidy(runtime)
        progress = Progress()
        api = Campaigns(runtime, progress, facts(config), rules)
        token = new_secret()
        app = create_app(api, _api_settings(service, token))
        port = await stack.enter_async_context(
            listening(
                app,
                service.config.server,
                tcp=service.token is not None,
                public=_is_public(service),
            )
        )
        if service.token is not None:
            # Only now: a server that cannot listen must leave the token of the one that does.
            write_token(service.token, token)
        log.info(
            "server.started",
            socket=str(config.server.socket),
            port=port,
            database=str(config.server.database),
            clusters=list(runtime.sites),
            pid=os.getpid(),
        )
        if service.private:
            _stop_at_end_of_input(stop)
        _settle_memory()
        pulse = Pulse()
        notifier = Notifier.of(os.environ, os.getpid())
        async with asyncio.TaskGroup() as group:
            group.create_task(notifier.accompany(pulse.turns, stop), name="systemd")
            await run(loops(runtime, progress), stop, pulse)
    log.info("server.stopped")


async def _runtime(database: Database, config: Config, *, adopt: bool) -> Runtime:
    """Return the runtime on a database that is known to be ours and in order."""
    await custody.take(database, config.server.database, adopt=adopt)
    now = time.time()
    async with database.write() as tx:
        await clusters.register(tx, config.clusters)
        await campaigns.delete_loading(tx)
        ids = {name: row.id for name, row in (await clusters.all_clusters(tx)).items()}
        for campaign in await parameters.damaged(tx):
            code = EventCode.DAMAGED_PARAMETERS
            for name in config.clusters:
                incident = Incident(
                    code=code,
                    message=REACTIONS[code].meaning,
                    campaign=campaign,
                    cluster_id=ids[name],
                )
                await events.record(tx, incident, now)
    metrics = Metrics()
    return Runtime(
        database=database,
        sites=_sites(config, ids, metrics),
        now=time.time,
        calendar=config.calendar.calendar(),
        metrics=metrics,
    )


async def _tidy(runtime: Runtime) -> None:
    for site in runtime.sites.values():
        async with runtime.database.read() as db:
            open_jobs = await jobs.open_on_cluster(db, site.id)
        await site.driver.tidy([job.remote_id for job in open_jobs if job.remote_id])


def _sites(
    config: Config, ids: Mapping[ClusterName, int], metrics: Metrics
) -> dict[ClusterName, Site]:
    base = config.server.database.parent / "clusters"
    return {
        name: Site(
            name=name,
            id=ids[name],
            driver=measured(
                open_driver(cluster.driver, base / name, cluster.options), name, metrics
            ),
        )
        for name, cluster in config.clusters.items()
    }


def facts(config: Config) -> Facts:
    """Return what the rules have to know of the installation."""
    return Facts(
        clusters={name: cluster.options.facts() for name, cluster in config.clusters.items()},
        default_walltime=config.defaults.walltime,
        default_resources=config.defaults.resources,
        max_tasks=config.limits.max_tasks,
        max_file=config.limits.max_stream_body_mib * MIB,
        rules=tuple(each.rule() for each in config.admission.rules),
        contact=config.admission.contact,
    )


def loops(runtime: Runtime, progress: Progress) -> list[Loop]:
    """Return the loops of all clusters."""
    policy = POLICIES["turns"]
    found = []
    for site in runtime.sites.values():
        submit = partial(submit_once, runtime, site, policy)
        poll = Poller(runtime, site, progress).poll_once
        for name, cycle, bell in (
            (f"submitter {site.name}", submit, site.submitter),
            (f"poller {site.name}", poll, site.poller),
        ):
            found.append(Loop(name=name, cycle=runtime.turns.watched(name, cycle), bell=bell))
    return found


def _api_settings(service: Service, token: str) -> ApiSettings:
    limits = service.config.limits
    return ApiSettings(
        user=own_login(),
        admins=frozenset(service.config.server.admins),
        token_sha256=digest_of(token) if service.token else None,
        hosts=names(service.config.server),
        auth=service.config.auth,
        max_json_body=limits.max_json_body_mib * MIB,
        max_stream_body=limits.max_stream_body_mib * MIB,
    )


def _is_public(service: Service) -> bool:
    """Return whether everybody on this host may connect to the socket."""
    if service.private:
        return False
    return os.geteuid() == 0 or service.config.server.socket == SYSTEM_SOCKET


def _settle_memory() -> None:
    """
    Keep the pauses of the interpreter short.

    A full collection looked at all modules each time, for 40 ms; a thread that parses a journal
    kept the event loop waiting for up to 5 ms, Python's default.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(0.001)


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def begin() -> None:
        stop.set()
        # A thread may hang in a file system that does not answer; every state is safe to leave.
        last = threading.Timer(FAREWELL, os._exit, [0])
        last.daemon = True
        last.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, begin)


def _stop_at_end_of_input(stop: asyncio.Event) -> None:
    """Stop when the process that started this server is gone."""
    loop = asyncio.get_running_loop()
    source = sys.stdin.fileno()

    def read() -> None:
        if not os.read(source, 4096):
            loop.remove_reader(source)
            stop.set()

    loop.add_reader(source, read)
