#!/usr/bin/env python3
"""Counts the frames of tillgate's own code between a request and its first SQL statement.

    tests/scripts/frames.py [--binary target/frames/debug/tillgate]

Builds the server with debug information, starts a demo shop on a free port, attaches gdb, and sends a native login and a
change of a user. For each request it prints every frame of a tillgate crate that is on the stack when SQLite executes the
first statement, with its file and line, outermost first; then the number of frames, of files, and of nested closures. A
frame that the compiler made for a closure counts like any other: a reader has to follow it.

It needs gdb, a Rust toolchain and nothing else. It is for people who change the path of a request; no test depends on it.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "frames-of-a-request"

# Runs inside gdb: stops at each statement until one is executed by a thread that handles a request.
GDB_SCRIPT = r"""
import gdb, json, os

gdb.execute("set pagination off")
gdb.execute("set print frame-arguments none")
gdb.execute("handle SIGPIPE nostop noprint pass")

class FirstStatement(gdb.Breakpoint):
    def stop(self):
        frames = []
        frame = gdb.newest_frame()
        while frame is not None:
            name = frame.name() or ""
            sal = frame.find_sal()
            # not the functions of other crates that have a type of tillgate as a parameter
            if name.startswith(("tillgate", "<tillgate")):
                frames.append([name, sal.symtab.filename if sal.symtab else "", sal.line])
            frame = frame.older()
        if not any("tillgate_http" in name for name, _, _ in frames):
            return False
        with open(os.environ["FRAMES_OUT"], "w") as out:
            json.dump(frames, out)
        self.enabled = False
        return True

FirstStatement("sqlite3_step")
open(os.environ["FRAMES_OUT"] + ".ready", "w").close()
gdb.execute("continue")
gdb.execute("detach")
"""


def build():
    target = ROOT / "target" / "frames"
    command = ["cargo", "build", "--quiet", "--locked", "--package", "tillgate-server", "--bin", "tillgate"]
    command += ["--config", 'profile.dev.strip="none"', "--config", 'profile.dev.debug="line-tables-only"']
    subprocess.run([*command, "--target-dir", str(target)], cwd=ROOT, check=True)
    return target / "debug" / "tillgate"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def request(base, method, path, body, headers=()):
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(base + path, data, {"Content-Type": "application/json", **dict(headers)}, method=method)
    with urllib.request.urlopen(call, timeout=120) as answer:
        text = answer.read()
        return json.loads(text) if text else None, answer.headers


def frames_of(server, send, folder):
    """The frames at the first statement of what `send` sends, outermost first."""
    out = Path(folder) / "frames.json"
    for old in (out, Path(f"{out}.ready")):
        old.unlink(missing_ok=True)
    script = Path(folder) / "frames.gdb.py"
    script.write_text(GDB_SCRIPT)
    command = ["gdb", "--batch", "--nx", "--pid", str(server.pid), "--command", str(script)]
    gdb = subprocess.Popen(command, env={**os.environ, "FRAMES_OUT": str(out)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_for(Path(f"{out}.ready").exists, gdb, "gdb to attach")
    time.sleep(0.5)
    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    wait_for(out.exists, gdb, "the first statement")
    gdb.wait(timeout=120)
    sender.join(timeout=120)
    return list(reversed(json.loads(out.read_text())))


def wait_for(holds, process, what):
    deadline = time.monotonic() + 180
    while not holds():
        if process.poll() is not None and not holds():
            sys.exit(f"ended while waiting for {what}:\n{process.stdout.read().decode(errors='replace')}")
        if time.monotonic() > deadline:
            sys.exit(f"waited too long for {what}")
        time.sleep(0.1)


def wait_until_ready(server, port, log):
    deadline = time.monotonic() + 60
    while True:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).read()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(log.read_text())
            time.sleep(0.2)


def report(title, frames):
    print(f"\n{title}")
    files = []
    for name, path, line in frames:
        short = re.sub(r"::h[0-9a-f]{16}$", "", name)
        path = path.split("/crates/")[-1]
        files.append(path)
        print(f"  {short}  ({path}:{line})")
    closures = sum("{closure" in name or "{{closure}}" in name for name, _, _ in frames)
    print(f"  = {len(frames)} frames in {len(set(files))} files, {closures} of them closures")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", type=Path, help="a debug build with symbols; built if not given")
    binary = arguments.parse_args().binary or build()
    if shutil.which("gdb") is None:
        sys.exit("install gdb")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        base = f"http://127.0.0.1:{port}/api/v1"
        command = [binary.resolve(), "demo", "--small", "--data", folder, "--password", PASSWORD, "--listen", f"127.0.0.1:{port}"]
        log = open(Path(folder) / "log", "wb")
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            wait_until_ready(server, port, Path(folder) / "log")
            login = {"login": "cashier", "password": PASSWORD, "device": "P01"}
            admin, _ = request(base, "POST", "/sessions", {"login": "admin", "password": PASSWORD})
            bearer = {"Authorization": "Bearer " + admin["access_token"]}
            users, _ = request(base, "GET", "/users?limit=100", None, bearer)
            user = next(each for each in users["items"] if each["user_name"] == "cashier")
            _, headers = request(base, "GET", f"/users/{user['id']}", None, bearer)
            change = {**bearer, "If-Match": headers["ETag"]}
            report("POST /sessions (native login)", frames_of(server, lambda: request(base, "POST", "/sessions", login), folder))
            path = f"/users/{user['id']}"
            send = lambda: request(base, "PATCH", path, {"display_name": "Cora"}, change)
            report("PATCH /users/{id}", frames_of(server, send, folder))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)


main()
