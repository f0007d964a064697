"""`del` asks before it throws away what is left to do, on answers that are played."""

import pytest

COUNTS = {"pending": 0, "queued": 0, "running": 0, "terminated": 9, "failed": 0, "cancelled": 0}


def campaign(number, *, endless=False, end_time=None, **counts):
    told = {"id": number, "state": "in_treatment", "endless": endless, "end_time": end_time}
    return told | {"counts": COUNTS | counts}


@pytest.fixture
def served(played):
    def serve(*campaigns):
        for one in campaigns:
            played.answers[f"GET /campaigns/{one['id']}"] = one
            played.answers[f"DELETE /campaigns/{one['id']}"] = one
        return played

    return serve


def test_tasks_that_an_endless_campaign_keeps_ready_are_no_loss(served, cigri):
    served(campaign(34, endless=True, pending=2000, running=8))

    assert cigri("del", 34).out == "campaign 34 cancelled\n"


def test_tasks_of_an_endless_campaign_that_run_are_a_loss(served, cigri):
    served(campaign(34, endless=True, pending=2000, running=101))

    assert "throws away 101 unfinished tasks" in cigri("del", 34).err


@pytest.mark.parametrize(
    ("arguments", "attempt"),
    [
        (["34"], "cigri del 34 --yes"),
        (["34,35-35", "36"], "cigri del 34,35 36 --yes"),
        (["34-36"], "cigri del 34-36 --yes"),
    ],
)
def test_a_refusal_names_the_command_that_does_it(served, cigri, arguments, attempt):
    server = served(*(campaign(number, pending=101) for number in (34, 35, 36)))

    refused = cigri("del", *arguments)

    assert refused.code == 2
    assert refused.err.splitlines()[-1] == f"try:   {attempt}"
    assert {method for method, *_ in server.requests} == {"GET"}


@pytest.mark.parametrize("options", [["--url", "{}", "del", "34"], ["del", "34", "--url", "{}"]])
def test_the_command_that_does_it_asks_the_same_server(served, cigri, monkeypatch, options):
    url = served(campaign(34, pending=101)).url
    monkeypatch.setenv("CIGRI_URL", "unix:/nowhere")

    refused = cigri(*(option.format(url) for option in options))

    assert refused.err.splitlines()[-1] == f"try:   cigri del 34 --yes --url {url}"
