"""A server that says what it is told to."""

import json
import socketserver
from http.server import BaseHTTPRequestHandler


class Played(socketserver.ThreadingUnixStreamServer):
    """Answers each request with what was said that it should, and keeps them."""

    daemon_threads = True

    def __init__(self, path):
        self.answers = {}
        self.requests = []
        self.url = f"unix:{path}"
        super().__init__(str(path), Answering)


class Answering(BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        self.server.requests.append((self.command, self.path, self.rfile.read(length)))
        missing = (404, {"status": 404, "message": f"nothing at {self.path}"})
        given = self.server.answers.get(f"{self.command} {self.path}", missing)
        status, body = given if isinstance(given, tuple) else (200, given)
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server calls

    def address_string(self):
        return "a socket"

    def log_message(self, *words):
        pass
