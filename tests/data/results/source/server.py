"""A small server for the load tools: / is fine, /broken fails, /slow takes a while."""

import http.server
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path == "/slow":
            time.sleep(1.2)
        self.send_response(500 if self.path.startswith("/broken") else 200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"fine")

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A load tool that hangs up is no error."""


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
