#!/usr/bin/env python3
"""CPU per request and memory per user with many users: the same requests per second from few users and from many.

100 users that pause 0 to 25 ms and 10,000 users that pause 0 to 2.5 s make the same load: 8,000 requests per second at random
moments. nginx answers on a core of its own. With --fixed the pauses are all alike. Then the users of a small group fall into
step, because those that are answered together ask together again, and the worker wakes for many at once; a large group does
not, so what is compared is the waking, not the users.

    bench/users.py [--users 10000] [--http curl] [--pairs 5] [--fixed]
"""

import argparse
import json
import os
import pathlib
import resource
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RATE = 8000

NGINX = """
worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit; daemon off; worker_rlimit_nofile 40000;
events {{ worker_connections 18000; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "hello"; }} }} }}
"""


def ramp_s(users):
    return 3 if users > 1000 else 1


def scenario(folder, url, users, seconds, fixed):
    path = folder / f"users-{users}.json"
    ramp, pause = ramp_s(users), users / RATE * 1000
    path.write_text(json.dumps({
        "$schema": "weir.scenario.v1", "name": f"{users} users", "target": url,
        "flows": {"f": {"weight": 1, "steps": [{"get": "/", "check": [{"status": 200}]},
                                               {"pause": f"{pause:.1f}ms" if fixed else f"0ms..{2 * pause:.1f}ms"}]}},
        "load": [{"executor": "ramping-users", "stages": [{"to": users, "over": f"{ramp}s"},
                                                          {"to": users, "over": f"{seconds}s"}]}],
        "warmup": f"{ramp + 1}s"}))
    return path


def cpu_of(pid):
    """User and system seconds of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS"))


def run(arguments, users, path):
    """CPU per request once all users are there, and resident memory at the end."""
    process = subprocess.Popen(["taskset", "-c", str(arguments.core), arguments.weir, "load", "run", path, "--http",
                                arguments.http, "--threads", "1", "--json", "--no-store", "--quiet"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(ramp_s(users) + 1.5)
    began, cpu = time.monotonic(), cpu_of(process.pid)
    time.sleep(arguments.seconds - 2)
    took, cpu = time.monotonic() - began, cpu_of(process.pid) - cpu
    memory = resident_kib(process.pid)
    out, err = process.communicate()
    if not out:
        raise SystemExit(err)
    figures = json.loads(out)
    figures = {**figures, **figures.get("unverified", {})}
    return cpu / (figures["requests"]["rate"] * took) * 1e6, memory, figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default=str(ROOT / "build" / "weir"))
    parser.add_argument("--users", type=int, default=10000)
    parser.add_argument("--http", default="auto")
    parser.add_argument("--fixed", action="store_true")
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6)
    arguments = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < arguments.users + 100:
        raise SystemExit(f"only {hard} descriptors are allowed")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
        server = subprocess.Popen(["taskset", "-c", str(arguments.server_core), "nginx", "-p", name, "-c",
                                   folder / "nginx.conf"], env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        try:
            while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
                time.sleep(0.02)
            url = f"http://127.0.0.1:{port}"
            ratios = []
            for pair in range(arguments.pairs):
                (few, small, _), (many, large, figures) = (
                    run(arguments, users, scenario(folder, url, users, arguments.seconds, arguments.fixed))
                    for users in (100, arguments.users))
                ratios.append(many / few)
                print(f"pair {pair + 1}: 100 users {few:.1f} us of CPU per request, {arguments.users} users {many:.1f} us, "
                      f"ratio {many / few:.2f} ({figures['requests']['rate']:.0f}/s, {figures['requests']['failed']} failed, "
                      f"{figures['connections']} connections, {(large - small) / (arguments.users - 100):.1f} KiB per user)",
                      flush=True)
            print(f"{arguments.http}: {statistics.median(ratios):.2f} times the CPU per request of 100 users "
                  f"({min(ratios):.2f} to {max(ratios):.2f})")
        finally:
            server.terminate()
            server.wait()


main()
