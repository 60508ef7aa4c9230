#!/usr/bin/env python3
"""weir against wrk: the same nginx, the same connections, turn by turn; prints ratios.

    bench/against_wrk.py [--weir build/weir] [--pairs 7] [--seconds 3] [--connections 64] [--server-core 0] [--core 1]

nginx runs with one worker on one core, the generator on another. Each pair is one run of each, in alternating order, so
that whatever else the machine does falls on both. Printed are requests per second and microseconds of CPU (user and
system, of the generator) per request, and the medians of the pairs' ratios. Needs nginx, wrk, taskset, openssl.
"""
import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

CONFIG = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
daemon off;
worker_rlimit_nofile {files};
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{http} backlog=16384; location / {{ return 200 "hello\\n"; }} }}
  server {{
    listen 127.0.0.1:{tls} ssl backlog=16384;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; ssl_protocols TLSv1.3;
    location / {{ return 200 "hello\\n"; }}
  }}
}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit("nginx does not answer")


class Server:
    """nginx on one core, in a folder of its own."""

    def __init__(self, core, connections, config=CONFIG):
        self.folder = tempfile.mkdtemp(prefix="weir-bench-")
        self.http, self.tls = free_port(), free_port()
        os.chmod(self.folder, 0o755)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", f"{self.folder}/key.pem", "-out", f"{self.folder}/cert.pem", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, stderr=subprocess.DEVNULL)
        with open(f"{self.folder}/nginx.conf", "w", encoding="utf-8") as f:
            f.write(config.format(folder=self.folder, http=self.http, tls=self.tls, connections=connections + 64,
                                  files=connections + 256))
        self.process = subprocess.Popen(
            ["taskset", "-c", str(core), "nginx", "-p", self.folder, "-c", f"{self.folder}/nginx.conf"])
        wait_for_port(self.http)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)


def timed(command):
    """Standard output, and the CPU seconds (user and system) of the command."""
    before = os.times()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    after = os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return done, cpu


def run_wrk(options, url):
    done, cpu = timed(["taskset", "-c", str(options.core), "wrk", "-t1", f"-c{options.connections}",
                       f"-d{options.seconds}s", url])
    requests = int(re.search(r"(\d+) requests in", done.stdout).group(1))
    rate = float(re.search(r"Requests/sec:\s*([\d.]+)", done.stdout).group(1))
    return rate, cpu / requests * 1e6


def run_weir(options, url):
    done, cpu = timed(["taskset", "-c", str(options.core), options.weir, "load", "run", url, "--users",
                       str(options.connections), "--duration", f"{options.seconds}s", "--threads", "1", "--insecure",
                       "--http", options.http, "--no-store", "--json", "--quiet"])
    try:
        record = json.loads(done.stdout)
    except ValueError:
        sys.exit(f"weir: {done.stderr}{done.stdout}")
    if record["requests"]["failed"]:
        sys.exit(f"weir: {record['requests']['failed']} requests failed: {record['requests']['errors']}")
    return record["requests"]["rate"], cpu / record["requests"]["total"] * 1e6


def compare(options, name, url):
    rates, costs = [], []
    print(f"{name}, {options.connections} connections, {options.pairs} pairs of {options.seconds} s")
    print("      weir/s     wrk/s  ratio   weir us   wrk us  ratio")
    for pair in range(options.pairs):
        if pair % 2:
            wrk, weir = run_wrk(options, url), run_weir(options, url)
        else:
            weir, wrk = run_weir(options, url), run_wrk(options, url)
        rates.append(weir[0] / wrk[0])
        costs.append(weir[1] / wrk[1])
        print(f"  {weir[0]:10,.0f} {wrk[0]:9,.0f}  {rates[-1]:5.2f}  {weir[1]:8.2f} {wrk[1]:8.2f}  {costs[-1]:5.2f}",
              flush=True)
    print(f"  median ratio: {statistics.median(rates):.2f} of wrk's requests per second, "
          f"{statistics.median(costs):.2f} of its CPU per request\n", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default="build/weir")
    parser.add_argument("--http", default="auto", help="auto, replay or curl")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--only", choices=["http", "tls"])
    options = parser.parse_args()
    for program in ("nginx", "wrk", "taskset", "openssl"):
        if not shutil.which(program):
            sys.exit(f"{program} is needed")
    server = Server(options.server_core, options.connections)
    try:
        if options.only != "tls":
            compare(options, "HTTP", f"http://127.0.0.1:{server.http}/")
        if options.only != "http":
            compare(options, "TLS 1.3", f"https://127.0.0.1:{server.tls}/")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
