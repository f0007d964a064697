"""What streams tell."""

import attrs

from cigri.api.wire.campaigns import Counts, Forecast, counts, outlook
from cigri.api.wire.words import CampaignWord
from cigri.domain import forecast as domain
from cigri.domain import model


@attrs.frozen(kw_only=True, slots=False)
class Progress:
    """How far a campaign is."""

    campaign_id: int
    total_jobs: int
    finished_jobs: int
    open_events: int
    counts: Counts
    forecast: Forecast


@attrs.frozen(kw_only=True, slots=False)
class State:
    """The state of a campaign."""

    campaign_id: int
    state: CampaignWord
    end_time: int | None


def progress(value: model.Campaign, forecast: domain.Forecast) -> Progress:
    """Return how far a campaign is."""
    return Progress(
        campaign_id=value.id,
        total_jobs=value.counts.total,
        finished_jobs=value.counts.succeeded,
        open_events=value.open_events,
        counts=counts(value.counts),
        forecast=outlook(forecast),
    )


def state(value: model.Campaign) -> State:
    """Return the state of a campaign."""
    return State(
        campaign_id=value.id,
        state=CampaignWord(value.state),
        end_time=None if value.ended_at is None else int(value.ended_at),
    )
