"""An HTTP proxy before a server, which misbehaves when told to."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}
SLOW_SECONDS = 3.0


class Proxy:
    """Forwards to a port of this machine, by `mode`: forwards, refuses, answers 500, slow, drops answers."""

    def __init__(self, port):
        self.mode = "forwards"
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    proxy._handle(self, port)

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.handle_any)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # clients that hang up are what this is for
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, request, port):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if self.mode == "refuses":
            request.close_connection = True
            return
        if self.mode == "answers 500":
            answer(request, 500, {}, b'{"error_code": "INTERNAL_ERROR", "message": "made up"}')
            return
        if self.mode == "slow":
            time.sleep(SLOW_SECONDS)
        server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            server.request(request.command, request.path, body, dict(request.headers))
            answered = server.getresponse()
            content = answered.read()
        except OSError:
            request.close_connection = True
            return
        finally:
            server.close()
        if self.mode == "drops answers":  # what was asked is done, and nobody hears of it
            request.close_connection = True
            return
        answer(request, answered.status, dict(answered.getheaders()), content)


def answer(request, status, headers, content):
    request.send_response(status)
    for name, value in headers.items():
        if name.lower() not in HOP_BY_HOP:
            request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
