"""A token that comes releases what waited for it, and nothing else."""

from pathlib import Path

import pytest

from cigri.clusters.credentials import FileCredentials
from cigri.errors import SubmissionRejected
from tests.engine.harness import ANN, Engine
from tests.engine.test_campaigns import MALLORY, break_submissions, submit


@pytest.mark.parametrize(
    ("said", "user", "goes_on"),
    [
        ("the token of ann has expired: get another one", ANN.user, True),
        ("the token of ann has expired: get another one", MALLORY.user, False),
        ("no such queue", ANN.user, False),
    ],
)
async def test_a_new_token_releases_the_campaigns_of_its_user_that_waited_for_it(
    engine: Engine, tmp_path: Path, *, said: str, user: str, goes_on: bool
) -> None:
    (site,) = engine.runtime.sites.values()
    site.driver.credentials = FileCredentials(tmp_path / "tokens")  # type: ignore[misc]
    break_submissions(engine, SubmissionRejected(said))
    campaign = await submit(engine, 4)
    for _ in range(3):
        await engine.turn()
    assert await engine.events(ANN, campaign)

    await engine.api.cluster_tokens.put(user, "sim", "abc")

    found = await engine.api.get(campaign)
    assert (engine.api.reason(found) is None) is goes_on
    assert (await engine.events(ANN, campaign) == []) is goes_on
    if goes_on:
        assert await engine.run(campaign) == "terminated"
