#!/usr/bin/env python3
"""weir's curl transport against libcurl by itself, and both against wrk: how much of the way is libcurl's.

    bench/against_bare_libcurl.py [--weir build/weir] [--pairs 5] [--seconds 3] [--connections 64]

bare_libcurl.c does nothing but transfers; weir measures, checks and records them. One nginx worker on a core of its own.
Needs nginx, wrk, taskset, openssl, and `ninja -C build net/bench_bare_libcurl`.
"""
import argparse
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from against_wrk import Server, run_weir, run_wrk, timed  # noqa: E402  (the path comes first)


def run_bare(options, url):
    done, cpu = timed(["taskset", "-c", str(options.core), options.bare, url, str(options.connections), str(options.seconds)])
    rate = float(done.stdout)
    return rate, cpu / (rate * options.seconds) * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default="build/weir")
    parser.add_argument("--bare", default="build/net/bench_bare_libcurl")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--core", type=int, default=1)
    options = parser.parse_args()
    options.http = "curl"
    if not pathlib.Path(options.bare).exists():
        sys.exit(f"{options.bare} is not built: ninja -C build net/bench_bare_libcurl")
    server = Server(options.server_core, options.connections)
    rounds = []
    try:
        url = f"http://127.0.0.1:{server.http}/"
        for _ in range(options.pairs):
            weir, bare, wrk = run_weir(options, url), run_bare(options, url), run_wrk(options, url)
            rounds.append((weir, bare, wrk))
            print(f"weir {weir[0]:8,.0f}/s {weir[1]:5.1f} us   libcurl alone {bare[0]:8,.0f}/s {bare[1]:5.1f} us   "
                  f"wrk {wrk[0]:8,.0f}/s {wrk[1]:5.1f} us", flush=True)
    finally:
        server.stop()
    for name, a, b in (("weir against libcurl alone", 0, 1), ("weir against wrk", 0, 2), ("libcurl alone against wrk", 1, 2)):
        print(f"median: {name} {statistics.median(r[a][0] / r[b][0] for r in rounds):.2f} of the requests/s, "
              f"{statistics.median(r[a][1] / r[b][1] for r in rounds):.2f} of the CPU per request")


if __name__ == "__main__":
    main()
