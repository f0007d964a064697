"""What the engine answers."""

from collections.abc import Mapping

import attrs

from cigri.domain.model import Campaign, ClusterName, Hold


@attrs.frozen(kw_only=True)
class Submitted:
    """A campaign that was accepted."""

    campaign: Campaign
    warnings: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Preview:
    """What a campaign would be."""

    tasks: int
    #: The first two and the last: their number and their words.
    samples: tuple[tuple[int, tuple[str, ...]], ...]
    jdl: Mapping[str, object]
    warnings: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class CampaignPage:
    """Some of the campaigns in certain states."""

    items: tuple[Campaign, ...]
    #: How many there are in these states, and in the others.
    total: int
    hidden: int


@attrs.frozen(kw_only=True)
class Fixed:
    """What a fix did."""

    closed: int
    resubmitted: int = 0


@attrs.frozen(kw_only=True)
class ClusterStatus:
    """How a cluster is."""

    id: int
    name: ClusterName
    driver: str
    slots: int
    #: Tasks of ours that run there.
    busy: int
    hold: Hold | None
    #: How loaded it is, 1 when it is full, and from where on that is too much; where it is known.
    stress: float | None = None
    stress_limit: float | None = None
    #: Cores that do not work, and that others occupy; where that is known.
    down: int | None = None
    used_by_others: int | None = None
    #: When it is tried again by itself, if it is held.
    next_try: float | None = None
