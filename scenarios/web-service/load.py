"""Asks a web service for pages, two at a time, and prints how long each answer took. The number of requests is fixed:
profiles of two commits are then of the same work."""

import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

CONNECTIONS, REQUESTS = 2, 60


def visit(number: int) -> list[float]:
    """Latencies of one visitor's requests, in seconds."""
    connection, taken = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30), []
    for request in range(REQUESTS):
        began = time.perf_counter()
        connection.request("GET", f"/texts?author=author%20{(7 * request + number) % 8}")
        answer = connection.getresponse()
        content = answer.read()
        taken.append(time.perf_counter() - began)
        if answer.status != 200 or len(content) < 1000:
            raise SystemExit(f"request {request} was answered with {answer.status} and {len(content)} bytes")
    connection.close()
    return taken


def main() -> None:
    with ThreadPoolExecutor(CONNECTIONS) as visitors:
        latencies = [each for taken in visitors.map(visit, range(CONNECTIONS)) for each in taken]
    print(json.dumps({"latencies": [round(each, 7) for each in latencies]}))


main()
