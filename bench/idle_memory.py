#!/usr/bin/env python3
"""Resident memory per idle user: many users ask once and then pause.

    bench/idle_memory.py [--weir build/weir] [--users 4000]

Printed is the difference between <users> and 100, so that what a run needs anyway does not count. Needs nginx, openssl and
descriptors for all users (ulimit -n).
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from against_wrk import Server  # noqa: E402  (the path comes first)

FEW = 100
SYSTEM = "/etc/ssl/certs/ca-certificates.crt"


def resident_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def memory_with(options, url, users, authorities):
    """Resident KiB when every user has its connection and a second has passed. <authorities>: a file; None: not verified."""
    scenario = {
        "$schema": "weir.scenario.v1", "name": "idle", "target": url,
        "flows": {"idle": {"steps": [{"name": "once", "get": "/"}, {"pause": "600s"}]}},
        "load": [{"executor": "constant-users", "users": users, "for": "600s"}],
    }
    if authorities:
        scenario["defaults"] = {"tls": {"ca": str(authorities)}}
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(scenario, file)
        file.flush()
        process = subprocess.Popen([options.weir, "load", "run", file.name, "--threads", "1", "--no-store", "--quiet",
                                    *([] if authorities else ["--insecure"])], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while len(os.listdir(f"/proc/{process.pid}/fd")) < users:
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"weir has no {users} connections; is 'ulimit -n' large enough?")
            time.sleep(0.1)
        time.sleep(1)
        kib = resident_kib(process)
        process.kill()
        process.wait()
    return kib


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default="build/weir")
    parser.add_argument("--users", type=int, default=4000)
    options = parser.parse_args()
    server = Server(0, options.users + FEW)
    try:
        # The system's authorities and the server's own, so that its certificate is verified among all of them.
        everyone = pathlib.Path(server.folder) / "everyone.pem"
        everyone.write_bytes(b"".join(pathlib.Path(part).read_bytes() for part in (SYSTEM, f"{server.folder}/cert.pem")))
        tls = f"https://127.0.0.1:{server.tls}/"
        for name, url, authorities in (("HTTP", f"http://127.0.0.1:{server.http}/", None), ("TLS 1.3, not verified", tls, None),
                                       ("TLS 1.3, verified among the system's authorities", tls, everyone)):
            few, many = (memory_with(options, url, users, authorities) for users in (FEW, options.users))
            print(f"{name}: {(many - few) / (options.users - FEW):.1f} KiB per idle user ({few} KiB with {FEW}, "
                  f"{many} KiB with {options.users})", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
