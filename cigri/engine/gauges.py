"""What a cluster shows of itself: its size, its load and its clock."""

import asyncio

from cigri.domain.reactions import EventCode
from cigri.engine import health
from cigri.engine.runtime import Known, Runtime, Site
from cigri.errors import ClusterUnreachable

#: Seconds between two questions for what others use of a cluster.
USAGE_EVERY = 30.0
#: Seconds by which a clock may differ before somebody is told.
CLOCK_OFF = 60.0
#: Seconds that who only wants to look waits for a cluster.
PATIENCE = 2.0


async def read(runtime: Runtime, site: Site) -> Known:
    """Ask a cluster how large and how loaded it is, and tell if something is wrong with that."""
    known = site.known
    await _ask(site)
    limit, stress = site.driver.stress_limit, known.stress
    strained = None
    if is_strained(site):
        strained = f"{stress:.2f}, from {limit:g} on nothing is submitted"
    await health.tell(runtime, site, EventCode.UNDER_STRESS, strained)
    skew = site.driver.clock_skew
    off = None
    if skew is not None and abs(skew) >= CLOCK_OFF:
        off = f"it is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    await health.tell(runtime, site, EventCode.CLOCK_SKEW, off)
    return known


async def shown(runtime: Runtime, site: Site, *, held: bool) -> Known:
    """
    Return what is known of a cluster to who only wants to look.

    One that is *held*, or does not answer at once, is not waited for: the last answer counts.
    """
    if not held:
        try:
            async with asyncio.timeout(PATIENCE):
                await _ask(site)
                await _ask_usage(runtime, site)
        except (TimeoutError, ClusterUnreachable):
            pass  # the loops will see, and tell
    return site.known


def is_strained(site: Site) -> bool:
    """Return whether a cluster was under too much stress when it was last asked."""
    limit, stress = site.driver.stress_limit, site.known.stress
    return limit is not None and stress is not None and stress >= limit


async def _ask(site: Site) -> None:
    known = site.known
    known.slots = await site.driver.slots()
    known.stress = await site.driver.stress()


async def _ask_usage(runtime: Runtime, site: Site) -> None:
    known, now = site.known, runtime.now()
    # A clock may have been set back.
    if not known.used_at <= now < known.used_at + USAGE_EVERY:
        known.usage = await site.driver.usage()
        known.used_at = now
