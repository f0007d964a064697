"""Users share the slots equally; the campaigns of one user run in the order they came."""

from collections.abc import Sequence

from cigri.domain import grouping
from cigri.domain.scheduling.offers import Choice, Offer
from cigri.domain.scheduling.shares import level


def turns(offers: Sequence[Offer], slots: int) -> list[Choice]:
    """
    Return what to hand out on a cluster with *slots* slots.

    A user's next campaign gets its turn when the ones before have nothing more to hand out, so
    results arrive campaign by campaign.  Tests are a single task and wait for nobody.
    """
    tests = [
        Choice(campaign=offer.campaign, tasks=1)
        for offer in sorted(offers, key=lambda offer: offer.campaign)
        if offer.test and offer.allowance
    ]
    return tests + _shared([offer for offer in offers if not offer.test], slots)


def _shared(offers: Sequence[Offer], slots: int) -> list[Choice]:
    by_user: dict[str, list[Offer]] = {}
    for offer in sorted(offers, key=lambda offer: offer.campaign):
        by_user.setdefault(offer.user, []).append(offer)
    demands = [sum(offer.demand for offer in own) for own in by_user.values()]
    share = level(demands, slots)
    return [choice for user in sorted(by_user) for choice in _of_one_user(by_user[user], share)]


def _of_one_user(offers: Sequence[Offer], slots: int) -> list[Choice]:
    """Return what fills *slots* slots with *offers* together: many small ones get no more."""
    choices: list[Choice] = []
    filled = sum(offer.in_flight / offer.target(slots) for offer in offers)
    nearly_idle = sum(offer.in_flight * offer.cores for offer in offers) < 2 * slots
    for offer in offers:
        wanted = offer.target(slots)
        missing = grouping.refill(
            wanted=wanted,
            in_flight=round(filled * wanted),
            # Where one campaign ended in the middle of a portion, the next completes it.
            nearly_idle=nearly_idle or bool(choices),
            part=offer.part,
        )
        tasks = min(missing, offer.allowance)
        if tasks:
            choices.append(Choice(campaign=offer.campaign, tasks=tasks))
            filled += tasks / wanted
        if tasks < offer.allowance:
            break
    return choices
