"""Users share the slots equally; the campaigns of one user run in the order they came."""

from collections.abc import Sequence
from itertools import groupby

from cigri.domain.scheduling.offers import Choice, Offer


def turns(offers: Sequence[Offer], slots: int) -> list[Choice]:
    """
    Return what to hand out on a cluster with *slots* slots.

    A user's next campaign gets its turn when the ones before have nothing more to hand out, so
    results arrive campaign by campaign.
    """
    users = {offer.user for offer in offers if offer.pending or offer.in_flight}
    share = -(-slots // max(1, len(users)))
    by_user = sorted(offers, key=lambda offer: offer.user)
    choices: list[Choice] = []
    for _, own in groupby(by_user, key=lambda offer: offer.user):
        choices += _of_one_user(sorted(own, key=lambda offer: offer.campaign), share)
    return choices


def _of_one_user(offers: Sequence[Offer], slots: int) -> list[Choice]:
    choices = []
    for offer in offers:
        tasks = offer.appetite(slots)
        if tasks:
            choices.append(Choice(campaign=offer.campaign, tasks=tasks))
        if offer.allowance > tasks:
            break
    return choices
