"""What every policy promises, whatever is offered."""

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cigri.domain import grouping
from cigri.domain.model import CampaignId
from cigri.domain.scheduling import POLICIES, Offer

every_policy = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)

slots = st.integers(1, 300)
users = st.sampled_from(["ann", "bob", "eve"])
#: Mean duration and how many ended: nobody knows the one before the other.
pasts = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {"mean_duration": st.sampled_from([0.0, 0.01, 1.0, 1e5]), "ended": st.integers(1, 10**6)}
    ),
)


def numbered(offers):
    return [attrs.evolve(offer, campaign=CampaignId(n)) for n, offer in enumerate(offers, 1)]


@st.composite
def offer(draw):
    return Offer(
        campaign=CampaignId(0),
        user=draw(users),
        pending=draw(st.integers(0, 10_000)),
        in_flight=draw(st.just(0) | st.integers(0, 2_000)),
        cores=draw(st.integers(1, 4)),
        max_jobs=draw(st.none() | st.integers(1, 3_000)),
        **draw(pasts),
    )


offers = st.lists(offer(), max_size=12).map(numbered)


@st.composite
def equal_users(draw):
    """Return offers of users who differ in nothing but how their many tasks are in campaigns."""
    past = draw(pasts)
    backlogs = draw(
        st.lists(st.lists(st.integers(1, 500), min_size=1, max_size=6), min_size=1, max_size=5)
    )
    return numbered(
        Offer(campaign=CampaignId(0), user=f"user{n}", pending=pending, in_flight=0, **past)
        for n, campaigns in enumerate(backlogs)
        for pending in [*campaigns, 100_000]
    )


def waiting(number, user, **known):
    """Return the offer of a campaign with much to do."""
    values = {"pending": 10**6, "in_flight": 0, **known}
    return Offer(campaign=CampaignId(number), user=user, **values)


def handed_out(offers, choices):
    """Return the offers as they are once *choices* are handed out."""
    tasks = {choice.campaign: choice.tasks for choice in choices}
    return [
        attrs.evolve(
            offer,
            pending=offer.pending - tasks.get(offer.campaign, 0),
            in_flight=offer.in_flight + tasks.get(offer.campaign, 0),
        )
        for offer in offers
    ]


def finished(offers):
    """Return the offers as they are once all that was in flight has ended."""
    return [
        attrs.evolve(
            offer,
            in_flight=0,
            ended=offer.ended + offer.in_flight,
            mean_duration=offer.mean_duration or (1.0 if offer.in_flight else None),
        )
        for offer in offers
    ]


def per_user(offers, count):
    return {
        user: sum(count(offer) for offer in offers if offer.user == user)
        for user in {offer.user for offer in offers}
    }


@every_policy
@given(offers, slots)
def test_nothing_is_chosen_that_was_not_offered_or_not_allowed(policy, offers, slots):
    choices = policy(offers, slots)

    assert len({choice.campaign for choice in choices}) == len(choices)
    allowed = {offer.campaign: offer for offer in offers}
    for choice in choices:
        offered = allowed[choice.campaign]
        assert 0 < choice.tasks <= offered.pending
        if offered.max_jobs is not None:
            assert offered.in_flight + choice.tasks <= offered.max_jobs


@every_policy
@given(offers, slots)
@example([waiting(n, f"user{n}") for n in range(1, 9)], 8)
def test_equal_questions_have_equal_answers(policy, offers, slots):
    answers = [list(policy(tuple(offers), slots)) for _ in range(3)]

    assert answers == answers[:1] * 3


@every_policy
@given(offers, slots)
def test_nobody_with_work_and_room_starves(policy, offers, slots):
    waiting = {o.user for o in offers if o.pending and (o.max_jobs is None or o.max_jobs > 0)}

    served = set()
    for _ in range(5):
        offers = finished(offers)
        choices = policy(offers, slots)
        served |= {o.user for o in offers if o.campaign in {c.campaign for c in choices}}
        offers = handed_out(offers, choices)

    assert waiting <= served


@every_policy
@given(equal_users(), slots)
def test_users_with_equal_tasks_have_equal_shares(policy, offers, slots):
    for _ in range(3):
        offers = handed_out(offers, policy(offers, slots))
        shares = per_user(offers, lambda offer: offer.in_flight).values()
        assert max(shares) - min(shares) <= 1
        offers = [attrs.evolve(offer, in_flight=0) for offer in offers]


@every_policy
@given(offers, slots)
def test_no_slot_is_idle_while_a_task_could_use_it(policy, offers, slots):
    offers = [attrs.evolve(offer, cores=1) for offer in offers]

    offers = handed_out(offers, policy(offers, slots))

    in_flight = sum(offer.in_flight for offer in offers)
    left = sum(offer.allowance for offer in offers)
    assert in_flight >= slots or not left


@every_policy
@given(offers, slots)
def test_no_user_has_more_in_flight_than_keeps_the_slots_busy(policy, offers, slots):
    most = max(grouping.MOST_IN_FLIGHT, 2 * slots)
    offers = [attrs.evolve(offer, in_flight=0) for offer in offers]

    offers = handed_out(offers, policy(offers, slots))

    assert all(n <= most for n in per_user(offers, lambda offer: offer.in_flight).values())


@every_policy
def test_nothing_offered_is_nothing_chosen(policy):
    assert list(policy([], 8)) == []


@every_policy
def test_a_user_who_needs_little_leaves_the_rest_to_the_others(policy):
    long = {"mean_duration": 3600.0, "ended": 1000}
    ending = waiting(1, "ann", pending=0, in_flight=1, **long)

    (choice,) = policy([ending, waiting(2, "bob", **long)], 64)

    assert choice.campaign == 2
    assert choice.tasks >= 63


@every_policy
def test_a_campaign_that_ends_in_the_middle_of_a_share_costs_its_user_nothing(policy):
    quick = {"mean_duration": 0.0, "ended": 10**6}
    offers = [
        waiting(1, "ann", in_flight=1_000, **quick),
        waiting(2, "bob", in_flight=1_000, pending=800, **quick),
        waiting(3, "bob", **quick),
    ]

    shares = per_user(handed_out(offers, policy(offers, 2)), lambda offer: offer.in_flight)

    assert shares["ann"] == shares["bob"] > 1_800


@every_policy
def test_a_cluster_without_slots_gets_no_more_than_one_task_and_one_to_follow(policy):
    assert sum(choice.tasks for choice in policy([waiting(1, "ann")], 0)) <= 2


@every_policy
def test_tasks_that_are_wider_than_a_share_run_too(policy):
    wide = [waiting(n, f"user{n}", cores=8) for n in range(1, 5)]

    assert {choice.campaign for choice in policy(wide, 8)} == {1, 2, 3, 4}


def test_the_campaigns_of_one_user_take_their_turn():
    campaigns = [waiting(1, "ann", pending=3), waiting(2, "ann"), waiting(3, "ann")]

    choices = POLICIES["turns"](campaigns, 8)

    # Two tasks for each slot, as nobody knows yet how long they take.
    assert [(choice.campaign, choice.tasks) for choice in choices] == [(1, 3), (2, 13)]


def test_a_campaign_that_came_back_waits_for_what_its_user_has_in_flight():
    assert POLICIES["turns"]([waiting(1, "ann"), waiting(2, "ann", in_flight=16)], 8) == []


@every_policy
@given(offers, slots)
def test_tests_come_first_with_one_task_each(policy, given_offers, slots):
    given_offers = [attrs.evolve(offer, test=offer.campaign % 2 == 0) for offer in given_offers]

    choices = policy(given_offers, slots)

    tests = [o.campaign for o in given_offers if o.test and o.allowance]
    assert [(c.campaign, c.tasks) for c in choices[: len(tests)]] == [(n, 1) for n in tests]
    assert not {c.campaign for c in choices[len(tests) :]} & {
        o.campaign for o in given_offers if o.test
    }


@every_policy
@pytest.mark.parametrize(("shared", "tasks"), [(False, 16), (True, 8)])
def test_what_others_could_run_does_not_wait_behind_tasks_of_unknown_length(policy, shared, tasks):
    one = Offer(campaign=CampaignId(1), user="ann", pending=100, in_flight=0, shared=shared)

    assert [choice.tasks for choice in policy([one], 8)] == [tasks]
