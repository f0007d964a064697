"""Campaigns that stop by themselves: their test has ended, or too many of their tasks failed."""

from collections.abc import Collection
from sqlite3 import Row

from cigri.domain.lifecycle import CampaignEvent
from cigri.domain.model import CampaignId, CampaignState, TestMode
from cigri.domain.reactions import REACTIONS, EventCode, Scope
from cigri.store import campaigns, events, rows
from cigri.store.database import Connection
from cigri.store.events import Incident
from cigri.store.statements import load

sql = load("campaigns")

#: Events with which a campaign has paused itself.
SELF_MADE = frozenset(
    code for code, reaction in REACTIONS.items() if reaction.holds is Scope.EVERYWHERE
)


async def check(tx: Connection, campaign: CampaignId, at: float) -> None:
    """Pause a campaign that has a reason of its own to."""
    row = await campaigns.row(tx, campaign)
    if row["state"] != CampaignState.IN_TREATMENT:
        return
    if row["test_mode"] != TestMode.OFF and await _test_is_over(tx, row):
        await _end_test(tx, row, at)
    elif row["max_fails"] is not None and row["pending"]:
        allowed = rows.allowance(row["max_fails"]).of(row["total"])
        if row["failed"] - row["forgiven"] > allowed:
            await _pause(tx, campaign, EventCode.TOO_MANY_FAILURES, _too_many(row, allowed), at)


async def in_test(db: Connection) -> list[CampaignId]:
    """Return the campaigns that are in a test: a hold may end it."""
    return [CampaignId(row["id"]) for row in await db.all(sql.in_test)]


async def _test_is_over(tx: Connection, row: Row) -> bool:
    """Return whether nothing more of a test runs or will; a hold there does not delay it."""
    if row["queued"] + row["running"]:
        return False
    taking_part = [
        item
        for item in await tx.all(sql.tests, {"campaign": row["id"]})
        if rows.settings(item["settings"]).test_mode is not TestMode.OFF
    ]
    return any(item["tested"] for item in taking_part) and all(
        item["tested"] or item["held"] for item in taking_part
    )


async def _end_test(tx: Connection, row: Row, at: float) -> None:
    campaign = CampaignId(row["id"])
    await tx.run(sql.end_test, {"campaign": campaign})
    if row["pending"] and (row["failed"] or row["test_mode"] == TestMode.THEN_WAIT):
        told = f"{row['succeeded']} of its tasks succeeded, {row['failed']} failed"
        message = f"{REACTIONS[EventCode.TEST_ENDED].meaning}: {told}; all others wait for a go"
        await _pause(tx, campaign, EventCode.TEST_ENDED, message, at)


def _too_many(row: Row, allowed: int) -> str:
    more = row["failed"] - row["forgiven"]
    seen = f" since {row['forgiven']} were accepted" if row["forgiven"] else ""
    meaning = REACTIONS[EventCode.TOO_MANY_FAILURES].meaning
    return f"{meaning}: {more} when it paused{seen}, at most {allowed} may"


async def _pause(
    tx: Connection, campaign: CampaignId, code: EventCode, message: str, at: float
) -> None:
    await campaigns.happen(tx, campaign, CampaignEvent.PAUSE, at)
    await events.record(tx, Incident(code=code, message=message, campaign=campaign), at)


async def release(
    tx: Connection, campaign: CampaignId, at: float, codes: Collection[EventCode] = SELF_MADE
) -> frozenset[EventCode]:
    """
    Close the events with which a campaign paused itself; return which were open.

    The failures that made one are accepted from now on.  The caller lets the campaign go on.
    """
    closed = await events.close_codes(tx, campaign, codes, at)
    if EventCode.TOO_MANY_FAILURES in closed:
        await tx.run(sql.forgive, {"campaign": campaign})
    return closed


async def end_test(tx: Connection, campaign: CampaignId) -> bool:
    """End the test of a campaign now; return whether it was in one."""
    row = await campaigns.row(tx, campaign)
    await tx.run(sql.end_test, {"campaign": campaign})
    return bool(row["test_mode"] != TestMode.OFF)


async def forget_resubmitted(tx: Connection, campaign: CampaignId) -> None:
    """Accept no more failures than there are, once some are tried again."""
    await tx.run(sql.forgive_at_most, {"campaign": campaign})
