"""Examines a database, with or without a server that uses it, and copies it."""

from collections.abc import AsyncIterator
from pathlib import Path

import attrs

from cigri.domain.model import CampaignState
from cigri.errors import Conflict
from cigri.store import audit, campaigns, parameters
from cigri.store.database import examine


@attrs.frozen(kw_only=True)
class Finding:
    """What one check found."""

    subject: str
    #: What is wrong and what to do, `None` when all is well.
    problem: str | None = None


async def check(database: Path) -> AsyncIterator[Finding]:
    """
    Check the file, the checksums of all parameters to run, and the counters of all campaigns.

    Raises:
        UnusableDatabase: It cannot even be opened.
    """
    async with examine(database) as opened:
        yield Finding(subject="database")
        async with opened.read() as db:
            damaged = await parameters.damaged(db)
            states = [state for state in CampaignState if state is not CampaignState.LOADING]
            known = await campaigns.page(db, states, -1, 0)
            for campaign in known:
                problem = None
                if campaign.id in damaged:
                    problem = "parameters do not match their checksum: restore a backup"
                elif await audit.recount(db, campaign.id) != campaign.counts:
                    problem = "the counters differ from a recount: please report this bug"
                yield Finding(subject=f"campaign {campaign.id}", problem=problem)


async def backup(database: Path, to: Path) -> None:
    """
    Write a consistent copy of *database*, which may be in use, to the new file *to*.

    Raises:
        Conflict: There is a file already.
        UnusableDatabase: The database cannot be opened.
    """
    if to.exists():  # noqa: ASYNC240 - a local file
        message = f"{to} exists: name a new file"
        raise Conflict(message)
    async with examine(database) as opened:
        await opened.backup(to)
