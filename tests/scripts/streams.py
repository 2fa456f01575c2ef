#!/usr/bin/env python3
"""Measures event streams: resident memory of the server, and how long a change takes to every client.

    tests/scripts/streams.py [--binary target/release/tillgate] [--users 50] [--logins 30]

Starts a small demo shop on a free port, creates users with the role `manager`, and opens four streams of
`GET /api/v1/events` for each. Then a cashier logs in on a till several times. The delay is the time from the answer to a
login until a stream has the event of its session. It needs Python and nothing else; no test depends on it.
"""

import argparse
import json
import re
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "streams-of-a-shop"
STREAMS_PER_USER = 4
IDLE_SECONDS = 10


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def resident_megabytes(server):
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024 / 1e6


def post(port, path, body, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def log_in(port, login, device=None):
    body = {"login": login, "password": PASSWORD}
    return post(port, "/sessions", {**body, "device": device} if device else body)["access_token"]


def open_stream(port, token):
    stream = socket.create_connection(("127.0.0.1", port))
    head = f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    stream.sendall(head.encode())
    stream.setblocking(False)
    return stream


def read_streams(selector, seconds):
    """Reads all streams, and returns when each one first had a session event."""
    seen = {}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for key, _ in selector.select(0.05):
            data = key.fileobj.recv(65536)
            if not data:
                sys.exit("the server has closed a stream")
            if b'"session"' in data:
                seen.setdefault(key.fileobj, time.monotonic())
    return seen


def measure_delays(port, selector, streams, logins):
    delays = []
    for _ in range(logins):
        answered = []
        cashier = threading.Thread(target=lambda: answered.append((log_in(port, "cashier", "P01"), time.monotonic())))
        cashier.start()
        seen = read_streams(selector, 1.2)
        cashier.join()
        if len(seen) != len(streams):
            sys.exit(f"{len(seen)} of {len(streams)} streams had the event in time")
        delays += [max(0.0, at - answered[0][1]) for at in seen.values()]
    return sorted(1000 * delay for delay in delays)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", type=Path, default=ROOT / "target/release/tillgate", help="a release build")
    arguments.add_argument("--users", type=int, default=50, help="four streams each")
    arguments.add_argument("--logins", type=int, default=30)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [chosen.binary.resolve(), "demo", "--small", "--data", folder, "--password", PASSWORD]
        log = open(Path(folder) / "log", "wb")
        server = subprocess.Popen([*command, "--listen", f"127.0.0.1:{port}"], cwd=folder, stdout=log, stderr=log)
        try:
            time.sleep(IDLE_SECONDS)
            print(f"idle: {resident_megabytes(server):.1f} MB")
            admin = log_in(port, "admin")
            tokens = []
            for number in range(chosen.users):
                user = {"user_name": f"manager{number}", "password": PASSWORD, "roles": ["manager"]}
                post(port, "/users", user, admin)
                tokens.append(log_in(port, user["user_name"]))
            time.sleep(IDLE_SECONDS)
            before = resident_megabytes(server)
            selector = selectors.DefaultSelector()
            streams = [open_stream(port, token) for token in tokens for _ in range(STREAMS_PER_USER)]
            for stream in streams:
                selector.register(stream, selectors.EVENT_READ)
            read_streams(selector, 3)
            print(f"{len(streams)} streams: {before:.1f} MB before, {resident_megabytes(server):.1f} MB with them")
            delays = measure_delays(port, selector, streams, chosen.logins)
            p99 = delays[int(len(delays) * 0.99)]
            print(f"delay of {len(delays)} events: median {statistics.median(delays):.0f} ms, 99 of 100 within {p99:.0f} ms")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)


main()
