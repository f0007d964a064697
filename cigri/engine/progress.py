"""Remembers, in memory and for campaigns that run, how the number of settled tasks grew."""

from collections.abc import Iterable

from cigri.domain.forecast import Forecast, Sample, forecast, thin
from cigri.domain.model import Campaign, CampaignId, CampaignState

#: Samples kept of one campaign, and the seconds that they may span.
MOST_SAMPLES = 120
SPAN = 1800.0


class Progress:
    """The recent past of the campaigns; lost at a restart, as forecasts may be."""

    def __init__(self) -> None:
        self._samples: dict[CampaignId, list[Sample]] = {}

    def record(self, at: float, campaigns: Iterable[Campaign]) -> None:
        """Note how many tasks of campaigns are settled; drop what is known of those that rest."""
        for campaign in campaigns:
            if campaign.state is CampaignState.IN_TREATMENT:
                self._add(campaign.id, Sample(at, campaign.counts.settled))
            else:
                self.forget(campaign.id)

    def _add(self, campaign: CampaignId, sample: Sample) -> None:
        samples = self._samples.setdefault(campaign, [])
        if samples and sample.settled < samples[-1].settled:
            # Tasks were resubmitted: there is another campaign to measure.
            samples.clear()
        samples.append(sample)
        if len(samples) > MOST_SAMPLES:
            self._samples[campaign] = thin(samples, MOST_SAMPLES // 2, SPAN)

    def begin(self, campaign: CampaignId, at: float, settled: int = 0) -> None:
        """Start to measure a campaign anew: it was submitted, or resumed after a pause."""
        self._samples[campaign] = [Sample(at, settled)]

    def forget(self, campaign: CampaignId) -> None:
        """Drop what is known of a campaign that ended."""
        self._samples.pop(campaign, None)

    def forecast(self, campaign: Campaign, now: float) -> Forecast:
        """Return what can be said about the end of a campaign."""
        if campaign.state is not CampaignState.IN_TREATMENT:
            return Forecast()
        remaining = 0 if campaign.endless else campaign.counts.total - campaign.counts.settled
        return forecast(self._samples.get(campaign.id, ()), remaining, now)
