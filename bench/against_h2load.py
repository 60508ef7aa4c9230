#!/usr/bin/env python3
"""HTTP/2 over TLS: weir and h2load turn by turn, ten streams at once over one connection, and ten connections.

    bench/against_h2load.py [--weir build/weir] [--pairs 5] [--seconds 4]

One nginx worker on one core answers "hello", the generators share the other. weir's users are on libcurl; "per-user" and
"shared" are the words of the scenario's "connections". Needs nginx, h2load (nghttp2-client), taskset, openssl.
"""
import argparse
import json
import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from against_wrk import CONFIG, Server, timed  # noqa: E402  (the path comes first)

STREAMS = 10


def run_h2load(options, url, connections, streams):
    done, cpu = timed(["taskset", "-c", str(options.core), "h2load", "-D", str(options.seconds), "-c", str(connections), "-m",
                       str(streams), url])
    rate = float(re.search(r"([\d.]+) req/s", done.stdout).group(1))
    return rate, cpu / (rate * options.seconds) * 1e6


def run_weir(options, url, connections, folder):
    scenario = folder / f"{connections}.json"
    scenario.write_text(json.dumps({
        "$schema": "weir.scenario.v1", "name": "http2", "target": url,
        "defaults": {"http": "2", "tls": {"insecure": True}, "connections": connections},
        "flows": {"f": {"steps": [{"get": "/", "check": [{"status": 200}]}]}},
        "load": [{"executor": "constant-users", "users": STREAMS, "for": f"{options.seconds}s"}]}))
    done, cpu = timed(["taskset", "-c", str(options.core), options.weir, "load", "run", scenario, "--threads", "1", "--no-store",
                       "--json", "--quiet"])
    record = json.loads(done.stdout)
    record = {**record, **record.get("unverified", {})}
    if record["requests"]["failed"]:
        sys.exit(f"weir: {record['requests']['failed']} requests failed: {record['requests']['errors']}")
    return record["requests"]["rate"], cpu / record["requests"]["total"] * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default="build/weir")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--core", type=int, default=1)
    options = parser.parse_args()
    server = Server(options.server_core, 64, CONFIG.replace("{tls} ssl", "{tls} ssl http2"))
    folder, url = pathlib.Path(server.folder), f"https://127.0.0.1:{server.tls}/"
    try:
        for words, connections, streams in (("shared", 1, STREAMS), ("per-user", STREAMS, 1)):
            pairs = []
            for _ in range(options.pairs):
                pairs.append((run_weir(options, url, words, folder), run_h2load(options, url, connections, streams)))
                (rate, cost), (their_rate, their_cost) = pairs[-1]
                print(f"{words:8} {rate:8,.0f}/s {cost:5.1f} us   h2load -c{connections} -m{streams} {their_rate:8,.0f}/s "
                      f"{their_cost:5.1f} us   {rate / their_rate:.2f} of its rate, {cost / their_cost:.2f} of its CPU", flush=True)
            print(f"median: {statistics.median(a[0] / b[0] for a, b in pairs):.2f} of the requests/s of h2load -c{connections} "
                  f"-m{streams}, {statistics.median(a[1] / b[1] for a, b in pairs):.2f} of its CPU per request\n", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
