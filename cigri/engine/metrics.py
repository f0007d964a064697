"""Counts and times for Prometheus.

No label names a campaign: there is no end of them.  Each observation costs a microsecond or two,
however many there were.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from cigri.store.changes import Written

#: Seconds; tasks take from milliseconds to days.
_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_CALL = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_TASK = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 1800, 3600, 14400, 43200, 86400)


class Metrics:
    """Everything that is measured in this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._observed()
        self._counted()

    def _observed(self) -> None:
        of = self.registry
        self.submit = Histogram(
            "cigri_submit_seconds",
            "Time of a request that creates jobs",
            ["cluster"],
            registry=of,
            buckets=_CALL,
        )
        self.call_errors = Counter(
            "cigri_cluster_call_errors",
            "Requests to a cluster that failed",
            ["cluster", "op"],
            registry=of,
        )
        self.task_duration = Histogram(
            "cigri_task_duration_seconds",
            "Time that tasks ran until they ended or reached their walltime",
            ["cluster"],
            registry=of,
            buckets=_TASK,
        )
        self._turn = Histogram(
            "cigri_turn_seconds",
            "Time of one turn of a loop",
            ["loop"],
            registry=of,
            buckets=_CALL,
        )
        self._db_write = Histogram(
            "cigri_db_write_seconds",
            "Time of a transaction that writes",
            registry=of,
            buckets=_SHORT,
        )
        self.http_request = Histogram(
            "cigri_http_request_seconds",
            "Time until an answer had left; not of streams and of requests that wait",
            ["route", "status"],
            registry=of,
            buckets=_SHORT,
        )

    def _counted(self) -> None:
        """Make the gauges that are set when somebody looks."""
        of = self.registry
        self.tasks = Gauge(
            "cigri_tasks",
            "Tasks of the campaigns that are not over",
            ["campaign_user", "state"],
            registry=of,
        )
        self.jobs_running = Gauge(
            "cigri_jobs_running", "Tasks that run on a cluster", ["cluster"], registry=of
        )
        self.cluster_up = Gauge(
            "cigri_cluster_up", "1 unless the cluster is left alone", ["cluster"], registry=of
        )
        self.cluster_stress = Gauge(
            "cigri_cluster_stress",
            "How loaded the cluster is: 1 is full",
            ["cluster"],
            registry=of,
        )
        self.events_open = Gauge(
            "cigri_events_open", "Events that wait for somebody", ["code"], registry=of
        )
        self.listeners = Gauge(
            "cigri_http_listeners", "Streams and waiting requests that are open", registry=of
        )

    def turned(self, loop: str, seconds: float) -> None:
        """Take notice of a turn of a loop."""
        self._turn.labels(loop).observe(seconds)

    def written(self, written: Written) -> None:
        """Take notice of a transaction."""
        self._db_write.observe(written.seconds)
