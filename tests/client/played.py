"""A server that gives a list of answers, without a connection."""

import httpx

from cigri.client import aio, sync
from cigri.client.client import Client
from cigri.client.connection import AsyncConnection, Connection

HOST = "http://localhost"


class Server:
    """Plays a list of answers and keeps the requests; an exception is what sending raises."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def http(self):
        return httpx.Client(transport=httpx.MockTransport(self), base_url=HOST)

    def client(self):
        return Client(http=self.http())

    def connect(self):
        return sync.Cigri(Connection(self.http(), "here"))

    def connect_async(self):
        http = httpx.AsyncClient(transport=httpx.MockTransport(self), base_url=HOST)
        return aio.Cigri(AsyncConnection(http, "here"))
