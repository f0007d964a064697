"""The tokens by which some clusters know users: given, shown to their owners and forgotten."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import attrs
import structlog

from cigri.clusters.credentials import Credentials, check_token, claims
from cigri.domain.event import Event
from cigri.domain.model import CampaignState, ClusterName
from cigri.domain.reactions import EventCode
from cigri.domain.selection import CampaignSelection
from cigri.engine.runtime import Runtime, Site
from cigri.errors import NotAllowed, NotFound, StorageFull
from cigri.store import events, listings

log = structlog.get_logger()

_Result = TypeVar("_Result")

_NOT_OVER = frozenset(state for state in CampaignState if not state.over)
#: Campaigns of one user that are looked at.
_MOST = 1000


@attrs.frozen(kw_only=True)
class ClusterToken:
    """What a cluster knows a user by."""

    cluster_id: int
    cluster: ClusterName
    #: The user's login there.
    login: str
    secret: str = attrs.field(repr=False)
    #: Seconds since 1970; `None`: it does not say.
    expires_at: float | None


class ClusterTokens:
    """The tokens of all users on all clusters that take any."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def listing(self, user: str) -> list[ClusterToken]:
        """Return the tokens of *user*, by cluster."""
        found = []
        for site in self._runtime.sites.values():
            credentials = site.driver.credentials
            if credentials is None:
                continue
            secret = await asyncio.to_thread(credentials.token, user)
            if secret is not None:
                found.append(
                    ClusterToken(
                        cluster_id=site.id,
                        cluster=site.name,
                        login=credentials.login(user),
                        secret=secret,
                        expires_at=claims(secret).expires_at,
                    )
                )
        return found

    async def put(self, user: str, cluster: str, token: str) -> ClusterToken:
        """
        Keep the token of *user* on the cluster with that id or name.

        Campaigns of theirs that the cluster has refused for want of a good one go on.

        Raises:
            NotFound: There is no such cluster.
            NotAllowed: It takes no tokens.
            InvalidRequest: It is no token, not theirs, or it has ended.
            StorageFull: It could not be written.
        """
        site, credentials = self._credentials(cluster)
        login = credentials.login(user)
        secret = check_token(token, login, self._runtime.now())
        await _written(site, lambda: credentials.put(user, secret))
        released = await self._release(user, site)
        log.info(
            "cluster_token.kept", user=user, cluster=site.name, login=login, released=released
        )
        site.submitter.ring()
        site.poller.ring()
        return ClusterToken(
            cluster_id=site.id,
            cluster=site.name,
            login=login,
            secret=secret,
            expires_at=claims(secret).expires_at,
        )

    async def remove(self, user: str, cluster: str) -> ClusterName:
        """
        Forget the token of *user* on the cluster with that id or name, and return its name.

        Raises:
            NotFound: There is no such cluster, or no token.
            NotAllowed: It takes no tokens.
        """
        site, credentials = self._credentials(cluster)
        if not await _written(site, lambda: credentials.remove(user)):
            raise NotFound(f"{user} has no token on {site.name}")
        log.info("cluster_token.forgotten", user=user, cluster=site.name)
        return site.name

    async def _release(self, user: str, site: Site) -> int:
        """Close the events by which a missing token holds campaigns; return how many."""
        closed = 0
        wanted = CampaignSelection(user=user, cluster=site.name)
        async with self._runtime.database.write() as tx:
            held = await listings.campaign_page(tx, _NOT_OVER, _MOST, 0, wanted)
            for campaign in held:
                for event in await events.holding(tx, campaign.id):
                    if event.cluster_id == site.id and _is_about_token(event):
                        closed += await events.close(tx, event, self._runtime.now())
        return closed

    def _credentials(self, cluster: str) -> tuple[Site, Credentials]:
        for site in self._runtime.sites.values():
            if cluster not in {site.name, str(site.id)}:
                continue
            if site.driver.credentials is None:
                raise NotAllowed(
                    f"cluster {site.name} does not take tokens; for this server itself, use"
                    " /access_tokens"
                )
            return site, site.driver.credentials
        raise NotFound(f"there is no cluster {cluster!r}")


def _is_about_token(event: Event) -> bool:
    # At worst it is tried once more, and refused again.
    return event.code == EventCode.SUBMISSION_REJECTED and "token" in event.message


async def _written(site: Site, work: Callable[[], _Result]) -> _Result:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        why = f"the tokens for {site.name} cannot be written here: {error.strerror}"
        raise StorageFull(f"{why}: ask the administrator of this server") from error
