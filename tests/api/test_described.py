"""The interface tells about itself, to programs and to people."""

from html.parser import HTMLParser

from cigri.api import docs_page, errors
from cigri.api.operation import operations
from cigri.api.tables import TABLES


class Page(HTMLParser):
    """The texts of a page, and what it would load."""

    def __init__(self):
        super().__init__()
        self.texts, self.tags, self.loaded = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.loaded += [value for name, value in attrs if name in {"src", "srcset", "data"}]

    def handle_data(self, data):
        self.texts.append(data)


async def test_the_document_is_for_everybody(server):
    async with server.over_tcp() as stranger:
        answer = await stranger.get("/openapi.json")

    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1")
    assert answer.text.endswith("}\n")


async def test_the_page_shows_every_operation(server):
    async with server.over_tcp() as stranger:
        answer = await stranger.get("/docs/api")
    page = Page()
    page.feed(answer.text)

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for operation in operations(TABLES):
        assert operation.summary.split("`")[0] in answer.text.replace("&#x27;", "'")
    lines = [text for text in page.texts if text.startswith("curl ")]
    assert len(lines) == len([text for text in page.texts if text.startswith("httpx.")])
    assert len(lines) == len(list(operations(TABLES)))


async def test_the_page_runs_and_loads_nothing(client):
    answer = await client.get("/docs/api")
    page = Page()
    page.feed(answer.text)

    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert page.loaded == []
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert "http://" not in answer.text
    assert "https://" not in answer.text


async def test_the_page_leads_to_where_a_proxy_shows_the_document(client):
    answer = await client.get("/docs/api", headers={"X-Cigri-Api-Path-Prefix": "/grid"})

    assert "<a href='/grid/openapi.json'>" in answer.text


async def test_every_type_of_a_problem_leads_somewhere(client):
    text = (await client.get("/docs/errors")).text

    types = {about["type"] for about in errors._KINDS.values()}
    assert types == {f"/docs/errors#{kind}" for kind in docs_page.KINDS}
    for kind, (title, _) in docs_page.KINDS.items():
        assert f"<section id='{kind}'><h2>{title}</h2>" in text
