"""Events as CiGri 3 prints them."""

from collections.abc import Mapping, Sequence
from typing import Any

from cigri.cli.grid.frame import date, say

_LINE = "-" * 78


def print_events(events: Sequence[Mapping[str, Any]]) -> None:
    """Print events, or that there is none."""
    if not events:
        say("No events!")
    for event in events:
        say(_LINE, _head(event), *str(event["message"]).splitlines())


def _head(event: Mapping[str, Any]) -> str:
    words = [f"{event['id']}: ({event['state']}) {event['code']}"]
    if event.get("job_id") is not None:
        words.append(f"of job {event['job_id']}")
    words.append(f"at {date(event['date_open'])}")
    if event.get("cluster_name"):
        words.append(f"on {event['cluster_name']}")
    if event.get("parent"):
        words.append(f"because of {event['parent']}")
    return " ".join(words)
