"""What is looked at before a submission to OAR 3, since it would be too late afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cigri.clusters.oar.api import OarOrder, OarResource
from cigri.clusters.oar.v3 import words
from cigri.clusters.oar.v3.asking import Asking, Broken
from cigri.clusters.oar.v3.tokens import refused_token
from cigri.errors import ClusterUnreachable, SubmissionRejected

#: A file that everybody may read, for what the answer says of who asks.
_ANY_FILE = "/etc/hostname"
_ALL_RESOURCES = "/resources?detailed=true&limit=100000"


class _Resources(msgspec.Struct):
    items: Sequence[OarResource]


class _Columns(msgspec.Struct):
    items: Sequence[Mapping[str, Any]]


class Checks:
    """
    Asks the cluster about the users and the resources of submissions.

    Args:
        asking: Its API.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        #: Users of whom it is known that the cluster knows them.
        self._known: set[str] = set()
        self._properties: Mapping[str, object] = {}

    async def check(self, order: OarOrder) -> None:
        """
        Return when *order* can be sent.

        Raises:
            SubmissionRejected: It would harm the cluster, or be misread there.
        """
        words.check(order)
        if wanted := words.conditions(order):
            await self._check_conditions(wanted)
        if order.user not in self._known:
            await self._check_user(order.user)
            self._known.add(order.user)

    async def alive(self) -> None:
        """Raise ClusterUnreachable when no resource lives: then OAR calls every wish too large."""
        if not any(resource.state == "Alive" for resource in await self.resources()):
            raise ClusterUnreachable(f"no resource of {self._asking.http.url} is Alive")

    async def resources(self) -> Sequence[OarResource]:
        """Return all resources of the cluster."""
        return (await self._asking.get(_ALL_RESOURCES, _Resources)).items

    async def _check_user(self, user: str) -> None:
        """Raise SubmissionRejected where a job would bring its node down, for want of a user."""
        path = f"/media?path_filename={_ANY_FILE}"
        try:
            reply = await self._asking.ask("GET", path, user=user)
        except Broken as error:
            # It needs no database: what fails is to become that user.
            raise SubmissionRejected(
                f"the cluster at {self._asking.http.url} does not know the user {user}, or cannot"
                " act for them: a job of theirs would bring down the node that is to run it"
            ) from error
        if refused := refused_token(reply, user):
            raise refused

    async def _check_conditions(self, wanted: Sequence[str]) -> None:
        if not self._properties:
            merged: dict[str, object] = {}
            for item in (await self._asking.get(_ALL_RESOURCES, _Columns)).items:
                told = {words.RENAMED.get(key, key): value for key, value in item.items()}
                merged.update((key, value) for key, value in told.items() if value is not None)
            self._properties = merged
        try:
            words.check_conditions(wanted, self._properties)
        except SubmissionRejected:
            # The cluster's administrator may add one in the meantime.
            self._properties = {}
            raise
