#!/usr/bin/env python3
"""How evenly a constant rate is sent, as the server sees it: requests per window of 10 ms by nginx's own log, and weir's send lag.

The generator has a core to itself, nginx the other. The log's clock has milliseconds, so a request may fall into the window
beside its own; the first and last half second are left out.

    bench/pacing.py [--rate 5000] [--seconds 6] [--runs 3]
"""

import argparse
import collections
import json
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

NGINX = """
worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit; daemon off;
events {{ worker_connections 4096; }}
http {{ log_format at '$msec'; access_log {folder}/at.log at buffer=16m; keepalive_requests 100000000;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello"; }} }} }}
"""


def windows_of(path, rate):
    """Requests per window of 10 ms, without the ends."""
    at = sorted(round(float(line) * 1000) for line in path.read_text().split())
    first, last = at[0] + 500, at[-1] - 500
    counts = collections.Counter((t - first) // 10 for t in at if first <= t < last)
    return [counts[w] for w in range((last - first) // 10)]


def one(arguments, folder):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    log = folder / "at.log"
    log.unlink(missing_ok=True)
    server = subprocess.Popen(["taskset", "-c", str(arguments.server_core), "nginx", "-p", folder, "-c", folder / "nginx.conf"],
                              env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            time.sleep(0.02)
        done = subprocess.run(["taskset", "-c", str(arguments.core), arguments.weir, "load", "run", f"http://127.0.0.1:{port}/",
                               "--rate", str(arguments.rate), "--duration", f"{arguments.seconds}s", "--threads", "1", "--json",
                               "--no-store", "--quiet"], capture_output=True, text=True, check=False)
    finally:
        server.terminate()
        server.wait()
    if not done.stdout:
        raise SystemExit(done.stderr)
    figures = json.loads(done.stdout)
    lag = figures["validity"]["send_lag_us"]
    windows = windows_of(log, arguments.rate)
    expected = arguments.rate / 100
    worst = max(abs(count - expected) / expected for count in windows)
    outside = sum(abs(count - expected) / expected > 0.2 for count in windows) / len(windows)
    print(f"{arguments.rate}/s: send lag p50 {lag['p50']:.0f} us, p99 {lag['p99']:.0f} us, max {lag['max']:.0f} us; "
          f"of {len(windows)} windows of 10 ms the worst is {worst:.0%} off, {outside:.1%} are more than 20 % off", flush=True)
    return lag["p99"], worst, outside


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default=str(ROOT / "build" / "weir"))
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--server-core", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        runs = [one(arguments, pathlib.Path(name)) for _ in range(arguments.runs)]
    lag, worst, outside = (statistics.median(values) for values in zip(*runs))
    print(f"median: send lag p99 {lag:.0f} us, worst window {worst:.0%} off, {outside:.1%} of the windows more than 20 % off")


main()
