"""What is told about a campaign beside how far it is."""

import attrs

from cigri.domain import explain as reasons
from cigri.domain import statistics as figures
from cigri.domain.explain import Why


@attrs.frozen(kw_only=True, slots=False)
class Statistics:
    """How a campaign goes: seconds, tasks a second, and shares of attempts; null is not known."""

    average_jobs_duration: float | None
    stddev_jobs_duration: float | None
    jobs_throughput: float
    remaining_time: float | None
    failures_rate: float
    resubmit_rate: float


def statistics(value: figures.Statistics) -> Statistics:
    """Return how a campaign goes; where CiGri 3 has a number, there always is one."""
    return Statistics(
        average_jobs_duration=value.mean_duration,
        stddev_jobs_duration=value.deviation,
        jobs_throughput=value.rate or 0.0,
        remaining_time=value.remaining,
        failures_rate=value.failed_share or 0.0,
        resubmit_rate=value.again_share or 0.0,
    )


@attrs.frozen(kw_only=True, slots=False)
class Obstacle:
    """Why nothing more of a campaign starts on a cluster, and what to do if anything."""

    cluster: str
    code: Why
    reason: str
    remedy: str | None


@attrs.frozen(kw_only=True, slots=False)
class Explanation:
    """The one true reason on each cluster."""

    clusters: tuple[Obstacle, ...]


def explanation(value: reasons.Explanation) -> Explanation:
    """Return the reason on each cluster."""
    return Explanation(
        clusters=tuple(
            Obstacle(cluster=each.cluster, code=each.code, reason=each.reason, remedy=each.remedy)
            for each in value.clusters
        )
    )
