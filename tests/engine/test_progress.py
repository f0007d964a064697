"""What is remembered of how fast campaigns go."""

import attrs

from cigri.domain.forecast import Forecast
from cigri.domain.model import Campaign, CampaignId, CampaignState, Counts
from cigri.engine.progress import MOST_SAMPLES, SPAN, Progress
from tests.engine.harness import ANN, Engine
from tests.engine.test_campaigns import submit

S = CampaignState
NOW = 1_000_000.0
TOTAL = 10_000


def campaign(settled: int, state: CampaignState = S.IN_TREATMENT) -> Campaign:
    return Campaign(
        id=CampaignId(1),
        name="c",
        user="ann",
        state=state,
        submitted_at=NOW,
        ended_at=None,
        counts=Counts(pending=TOTAL - settled, succeeded=settled),
        open_events=0,
        clusters=(),
        revision=1,
    )


def measured(rate: float, seconds: int) -> tuple[Progress, float]:
    """Return the progress of a campaign that settles *rate* tasks a second, and the time."""
    progress = Progress()
    progress.begin(CampaignId(1), NOW)
    for second in range(1, seconds + 1):
        progress.record(NOW + second, [campaign(round(second * rate))])
    return progress, NOW + seconds


def test_an_even_campaign_has_its_rate_and_an_end() -> None:
    progress, now = measured(2.0, 100)

    told = progress.forecast(campaign(200), now)

    assert told.rate == 2.0
    assert told.eta == (now + 4900, now + 4900)


def test_nothing_is_known_of_a_campaign_that_has_just_begun() -> None:
    progress = Progress()
    progress.begin(CampaignId(1), NOW)

    assert progress.forecast(campaign(0), NOW + 1) == Forecast()
    assert progress.forecast(attrs.evolve(campaign(0), id=CampaignId(2)), NOW + 1) == Forecast()


def test_a_campaign_that_rests_has_no_forecast() -> None:
    progress, now = measured(2.0, 100)

    for state in set(CampaignState) - {S.IN_TREATMENT}:
        assert progress.forecast(campaign(200, state), now) == Forecast()


def test_a_pause_does_not_count_as_slowness() -> None:
    progress, now = measured(2.0, 100)
    progress.forget(CampaignId(1))
    # What ran when the pause came goes on.
    progress.record(now + 1, [campaign(203, S.PAUSED)])

    progress.begin(CampaignId(1), now + 5000, settled=203)
    for second in range(1, 51):
        progress.record(now + 5000 + second, [campaign(203 + 2 * second)])

    assert progress.forecast(campaign(303), now + 5050).rate == 2.0


def test_resubmitted_tasks_do_not_count_as_slowness() -> None:
    progress, now = measured(2.0, 100)

    for second in range(1, 52):
        progress.record(now + second, [campaign(100 + 2 * second)])

    assert progress.forecast(campaign(202), now + 51).rate == 2.0


def test_nothing_is_kept_of_a_campaign_that_ended() -> None:
    for state in (S.TERMINATED, S.CANCELLED):
        progress, now = measured(2.0, 100)

        progress.record(now, [campaign(TOTAL, state)])

        assert progress._samples == {}


def test_what_is_kept_of_a_campaign_that_runs_for_weeks_is_bounded() -> None:
    progress, now = measured(0.01, 20_000)

    kept = progress._samples[CampaignId(1)]
    assert len(kept) <= MOST_SAMPLES
    assert kept[0].at >= now - 2 * SPAN
    assert progress.forecast(campaign(200), now).rate is not None


async def test_a_running_campaign_is_measured_and_a_terminated_one_forgotten(
    engine: Engine,
) -> None:
    running = await submit(engine, 200)
    for _ in range(12):
        await engine.turn()

    found = await engine.api.get(running)

    assert found.counts.succeeded > 20
    assert engine.api.forecast(found).rate == found.counts.succeeded / 12
    await engine.run(running)
    assert engine.api.forecast(await engine.api.get(running)) == Forecast()
    assert engine.api._progress._samples == {}


async def test_a_cancelled_campaign_is_forgotten(engine: Engine) -> None:
    doomed = await submit(engine, 200)
    await engine.turn()

    await engine.api.cancel(ANN, doomed)
    for _ in range(4):
        await engine.turn()

    assert engine.api._progress._samples == {}
