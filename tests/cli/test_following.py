import httpx
import pytest

from cigri.cli.failures import Exit
from cigri.cli.following import explained, follow, outcome, stuck, until_stuck
from cigri.cli.session import Session
from cigri.client import Client
from tests.cli.test_screens import CAMPAIGN


def look(state="in_treatment", *, held=False, **counts):
    cluster = {"blacklisted": held, "blacklist_reason": "it is ill" if held else None}
    return CAMPAIGN | {
        "state": state,
        "counts": dict.fromkeys(CAMPAIGN["counts"], 0) | counts,
        "clusters": {"1": cluster},
    }


@pytest.mark.parametrize(
    ("campaign", "code"),
    [
        (look("terminated", terminated=3), Exit.DONE),
        (look("terminated", terminated=2, failed=1), Exit.TASKS_FAILED),
        (look("cancelled", terminated=2, cancelled=1), Exit.CANCELLED),
        (look("terminated"), Exit.DONE),
    ],
)
def test_the_exit_code_tells_how_a_campaign_ended(campaign, code):
    assert outcome(campaign) is code


@pytest.mark.parametrize(
    ("campaign", "reason"),
    [
        (look(pending=1), None),
        (look("paused", pending=1), "it is paused"),
        (
            look("paused", pending=1) | {"reason": "too many tasks failed"},
            "too many tasks failed",
        ),
        # What runs may still end, and with it what waits.
        (look("paused", running=1), None),
        (look(held=True, running=1, pending=5), None),
        (look(held=True, pending=5), "it is ill"),
        (look("terminated", held=True, failed=5), None),
    ],
)
def test_a_campaign_is_stuck_when_nothing_of_it_can_run_by_itself(campaign, reason):
    assert stuck(campaign) == reason


def test_looking_ends_when_a_campaign_is_stuck():
    looks = [look(pending=1), look(held=True, pending=1), look(pending=1)]

    assert len(list(until_stuck(looks))) == 2


def test_a_pipe_gets_the_first_and_the_last_state_and_at_most_a_line_a_second(capfd):
    session = Session(command="cigri stat", url=None, output="table", color="auto")
    looks = [look(terminated=done, pending=100 - done) for done in range(100)]
    looks.append(look("terminated", terminated=100))

    last = follow(session, looks)

    lines = capfd.readouterr().out.splitlines()
    assert last is looks[-1]
    assert len(lines) <= 4
    assert lines[0].startswith("campaign 12: 0/10 done")
    assert lines[-1] == "campaign 12: terminated, 100/10 done"


def test_a_pipe_gets_no_line_twice(capfd):
    session = Session(command="cigri stat", url=None, output="table", color="auto")

    follow(session, [look("terminated", terminated=1)] * 3)

    assert len(capfd.readouterr().out.splitlines()) == 1


@pytest.fixture
def standing_still(monkeypatch):
    """A server whose one campaign is paused until the third look at it."""
    looks = iter([look("paused", pending=1)] * 2)

    def answer(request):
        if request.method == "POST":
            return httpx.Response(201, json=look(pending=1))
        return httpx.Response(200, json=next(looks, look("terminated", terminated=1)))

    http = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://localhost")
    monkeypatch.setattr("cigri.cli.session.Client", lambda url: Client(http=http))


@pytest.mark.parametrize(
    "arguments",
    [("run", "{}"), ("sub", "--watch", "{}"), ("stat", "--watch", "12"), ("wait", "12")],
)
def test_whoever_follows_in_a_pipe_is_told_once_why_a_campaign_stands_still(
    standing_still, cigri, describe, arguments
):
    path = describe()

    ended = cigri(*(argument.format(path) for argument in arguments))

    assert ended.err == "campaign 12 waits: it is paused\n"
    assert ended.out.endswith("campaign 12: terminated, 1/10 done\n")


@pytest.fixture
def answering():
    """A session whose server gives these answers."""

    def session(*answers):
        left = list(answers)
        transport = httpx.MockTransport(lambda _: left.pop(0))
        made = Session(command="cigri stat", url=None, output="table", color="auto")
        made.client = Client(http=httpx.Client(transport=transport, base_url="http://localhost"))
        return made

    return session


PAUSED = look("paused", pending=1) | {"reason": "it is paused"}
ENDED_TEST = {"cluster": "a", "code": "x", "reason": "its test has ended", "remedy": "cigri go 12"}


def test_a_campaign_that_paused_itself_tells_why_and_what_to_do(answering):
    body = {"clusters": [ENDED_TEST, ENDED_TEST | {"cluster": "b"}]}
    session = answering(httpx.Response(200, json=body))

    first, second = explained(session, [PAUSED, PAUSED])  # asked once

    assert stuck(first) == stuck(second) == "its test has ended: cigri go 12"


def test_one_that_its_owner_paused_has_no_more_to_tell(answering):
    (found,) = explained(answering(), [PAUSED | {"open_events": 0}])

    assert stuck(found) == "it is paused"


def test_without_an_explanation_the_reason_stays(answering):
    (found,) = explained(answering(httpx.Response(403, json={})), [PAUSED])

    assert stuck(found) == "it is paused"


def test_of_somebody_elses_campaign_nothing_is_asked(answering):
    (found,) = explained(answering(), [PAUSED | {"reason": None}])

    assert stuck(found) == "it is paused"
