#!/usr/bin/env python3
"""The five-flow scenario: weir (both transports) against scripted generators, autocannon and artillery, turn by turn.

The server is the demo application without service time on one core, the generators share the other. Requests per CPU second
of the generator process is the figure: "per core". Needs npm and a registry, or folders where they are installed already:

    bench/against_scripted.py [--pairs 5] [--seconds 6] [--npm FOLDER]
    npm install --prefix FOLDER --ignore-scripts autocannon artillery      # what it does by itself without --npm
"""

import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pinned(core, command, **more):
    return subprocess.run(["taskset", "-c", str(core), *map(str, command)], capture_output=True, text=True, check=False, **more)


def measured(core, command, env=None):
    """CPU seconds of the children (user + system) while the command ran, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = pinned(core, command, env={**os.environ, **(env or {})})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, done.stdout, done.stderr


def run_weir(arguments, url, transport):
    command = [arguments.weir, "load", "run", ROOT / "bench" / "flows.json", "--http", transport, "--threads", 1, "--json",
               "--no-store", "--quiet"]
    cpu, out, err = measured(arguments.core, command, {"TARGET": url})
    if not out:
        raise SystemExit(err)
    figures = json.loads(out)
    figures = {**figures, **figures.get("unverified", {})}
    return figures["requests"]["total"] / cpu, figures["requests"]["failed"]


def run_autocannon(arguments, url, folder):
    cpu, out, err = measured(arguments.core, ["node", ROOT / "bench" / "flows.js", url, arguments.seconds],
                             {"NODE_PATH": str(folder / "node_modules")})
    found = re.search(r"\{.*\}", out)
    if not found:
        raise SystemExit(err)
    figures = json.loads(found.group())
    return figures["requests"] / cpu, figures["failed"]


def run_artillery(arguments, url, folder):
    """Arrivals at a rate that keeps its core busy; each does the six requests."""
    headers = {"Authorization": "Bearer {{ token }}"}
    gets = ["/api/me", "/api/groups", "/api/groups/1/messages", "/api/dashboard", "/api/conversations"]
    flow = [{"post": {"url": "/api/login", "json": {"user": "user1", "password": "demo"},
                      "capture": {"json": "$.token", "as": "token"}}}]
    flow += [{"get": {"url": path, "headers": headers}} for path in gets]
    script, report = folder / "flows-artillery.json", folder / "artillery-report.json"
    script.write_text(json.dumps({
        "config": {"target": url, "http": {"pool": 64}, "phases": [{"duration": arguments.seconds, "arrivalRate": 150}]},
        "scenarios": [{"flow": flow}]}))
    cpu, out, err = measured(arguments.core, [folder / "node_modules" / ".bin" / "artillery", "run", "--quiet", "--output",
                                              report, script], {"ARTILLERY_DISABLE_TELEMETRY": "true"})
    if not report.exists():
        raise SystemExit(out + err)
    counters = json.loads(report.read_text())["aggregate"]["counters"]
    report.unlink()
    done = counters.get("http.codes.200", 0)
    return done / cpu, counters.get("http.requests", 0) - done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default=str(ROOT / "build" / "weir"))
    parser.add_argument("--app", default=str(ROOT / "build" / "weir-demo-app"))
    parser.add_argument("--npm", type=pathlib.Path)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.npm or pathlib.Path(name)
        if not arguments.npm:
            print("installing autocannon and artillery (some minutes)", flush=True)
            subprocess.run(["npm", "install", "--silent", "--ignore-scripts", "--prefix", folder, "autocannon", "artillery"],
                           check=True)
        port_file = pathlib.Path(name) / "port"
        server = subprocess.Popen(["taskset", "-c", str(arguments.server_core), arguments.app, "--listen", "127.0.0.1:0",
                                   "--port-file", str(port_file), "--workers", "256", "--quiet"])
        try:
            while not port_file.exists():
                time.sleep(0.02)
            url = f"http://127.0.0.1:{port_file.read_text().strip()}"
            peers = {"autocannon": run_autocannon, "artillery": run_artillery}
            per_core = {name: [] for name in (*peers, "replay", "curl")}
            for pair in range(arguments.pairs):
                for peer, run in peers.items():
                    per_core[peer].append(run(arguments, url, folder))
                for transport in ("replay", "curl"):
                    per_core[transport].append(run_weir(arguments, url, transport))
                print(f"round {pair + 1}, requests per CPU second: " + ", ".join(
                    f"{name} {runs[-1][0]:.0f} ({runs[-1][1]} failed)" for name, runs in per_core.items()), flush=True)
            for ours, theirs in (("replay", "autocannon"), ("replay", "artillery"), ("curl", "autocannon"),
                                 ("curl", "artillery"), ("replay", "curl")):
                values = [a[0] / b[0] for a, b in zip(per_core[ours], per_core[theirs])]
                print(f"{ours}: {statistics.median(values):.2f} times {theirs} per core "
                      f"({min(values):.2f} to {max(values):.2f})")
        finally:
            server.kill()


main()
