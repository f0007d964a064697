"""Who goes next on a cluster: a policy is one file here and one line in `POLICIES`."""

from collections.abc import Callable, Mapping, Sequence

from cigri.domain.scheduling.offers import Choice, Offer
from cigri.domain.scheduling.turns import turns

#: Given the offers in the order of their campaigns and the slots of the cluster: what to start.
Policy = Callable[[Sequence[Offer], int], Sequence[Choice]]

POLICIES: Mapping[str, Policy] = {"turns": turns}

__all__ = ["POLICIES", "Choice", "Offer", "Policy"]
