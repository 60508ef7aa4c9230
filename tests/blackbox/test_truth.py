"""The generator against peers of known behaviour: each row of the table in docs/performance.md's "truth" section that can
be told without a quiet machine. What needs one (send lag, windows of 10 ms, CPU per request) is measured in bench/."""

import collections
import json
import subprocess

import pytest

import support


def figures_of(text):
    """The figures of a run, whether the machine was quiet enough for them to be the target's or not."""
    figures = json.loads(text)
    return {**figures, **figures.get("unverified", {})}


def served(app):
    return app.stats()["requests"]


def test_a_freeze_is_felt_by_those_who_came_on_schedule(weir, demo_app, start):
    """5 s of 60 at 1,000/s: 8.3 % of the arrivals wait 0..5 s, uniformly, so p99 is 5 s x (1 - 1/8.33) = 4.4 s."""
    rate, length, freeze = (200, 24, 2) if support.SANITIZER else (1000, 60, 5)
    app = demo_app(latency="0ms", workers=64, queue=20000)
    program = start("weir", "load", "run", app.url + "/api/version", "--rate", rate, "--duration", f"{length}s",
                    "--users", 10000, "--json", "--no-store")
    support.wait_until("a third of the run", lambda: served(app) > rate * length / 3, length * 2)
    app.set(freeze=f"{freeze}s")
    program.wait(length * 4)
    figures = figures_of(program.stdout)
    expected = freeze * (1 - 0.01 * length / freeze) * 1e6
    measured = figures["response_time_us"]["p99"]
    assert abs(measured - expected) <= 0.03 * expected, figures["response_time_us"]
    assert figures["load"]["arrivals"] == rate * length
    # Half of all requests never saw the freeze.
    assert figures["service_time_us"]["p50"] < 50_000


def test_a_constant_rate_is_even(weir, nginx):
    """By nginx's own log, in milliseconds: of 5,000/s each window of 10 ms has 50 +- 20 %. Where this machine stopped for some
    milliseconds, which the run's own figures tell, nothing can be said; bench/pacing.py has the send lag."""
    if support.SANITIZER:
        pytest.skip("a sanitizer is too slow for 5,000/s on time")
    server = nginx("log_format seen '$msec'; server {{ listen 127.0.0.1:{plain}; location / {{ return 200 'x'; }} }}", "plain")
    run = weir("load", "run", f"http://127.0.0.1:{server.ports['plain']}/", "--rate", 5000, "--duration", "3s", "--threads", 1,
               "--users", 500, "--json", "--no-store")
    figures = figures_of(run.stdout)
    assert figures["load"]["arrivals"] == 15000
    if figures["validity"]["send_lag_us"]["p99"] > 2000:
        pytest.skip(f"this machine is too busy: send lag {figures['validity']['send_lag_us']}")
    lines = support.wait_until("the log", lambda: len(server.seen()) >= 15000 and server.seen())
    at = sorted(round(float(line) * 1000) for line in lines)
    windows = collections.Counter((t - at[0]) // 10 for t in at)
    counts = [windows[w] for w in range(10, 290)]
    even = sum(40 <= count <= 60 for count in counts)
    assert even >= 0.9 * len(counts), counts


def test_a_peer_that_never_answers_costs_every_arrival_its_timeout(weir, peer):
    target = peer(support.never_answer())
    run = weir("load", "run", target.url, "--rate", 50, "--duration", "2s", "--timeout", "500ms", "--json", "--no-store")
    figures = figures_of(run.stdout)
    assert figures["requests"]["total"] == 100
    assert figures["requests"]["errors"]["timeout"] == 100
    assert figures["load"]["censored"] == 100
    assert figures["response_time_us"]["p50"] >= 500_000


def test_what_is_under_way_at_the_end_is_counted_with_its_age(weir, peer):
    target = peer(support.reply(delay_s=30))
    run = weir("load", "run", target.url, "--rate", 20, "--duration", "2s", "--timeout", "60s", "--json", "--no-store")
    figures = figures_of(run.stdout)
    assert figures["requests"]["total"] == 40 and figures["load"]["censored"] == 40
    # Arrivals over 2 s, and a second of grace: the ages are spread from 1 s to 3 s.
    assert figures["response_time_us"]["max"] >= 2_900_000
    assert figures["response_time_us"]["min"] >= 1_000_000


def test_a_generator_that_was_the_limit_says_so(weir, demo_app):
    app = demo_app(workers=64, queue=20000)
    run = weir("load", "run", app.url + "/api/version", "--rate", 1_000_000, "--duration", "2s", "--users", 200,
               "--threads", 1, "--json", "--no-store")
    assert run.status == 4, run
    figures = run.json()
    assert figures["verdict"] == "invalid" and figures["validity"]["reasons"]
    assert "response_time_us" not in figures, "no percentile of it is the target's"


TRANSPORTS = ("curl", "replay")
HEAD = b"HTTP/1.1 200 OK\r\n"
BROKEN = {
    "half a reply": (support.half_reply(share=0.9), "reset"),
    "half a head": (support.half_reply(share=0.3), "reset"),
    "a reset": (support.reset(), "reset"),
    "a close without a word": (support.close(), "reset"),
    "a content-length too large": (support.reply(HEAD + b"Content-Length: 99\r\n\r\nshort", keep_open=False), "reset"),
    # libcurl 7.88 takes the last one and waits for more; see docs/decisions.
    "two content-lengths": (support.reply(HEAD + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello"),
                            {"replay": "protocol", "curl": "timeout"}),
    "a bad chunk": (support.reply(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"), "protocol"),
    "chunks without an end": (support.reply(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", keep_open=False), "reset"),
    "no HTTP": (support.reply(b"SSH-2.0-OpenSSH_9.2\r\n", keep_open=False), "protocol"),
    "slow headers": (support.slow_reply(between_s=0.05), "timeout"),
}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("what", BROKEN)
def test_each_broken_answer_has_its_error_class(weir, peer, what, transport):
    script, error = BROKEN[what]
    error = error if isinstance(error, str) else error[transport]
    target = peer(script)
    run = weir("load", "run", target.url, "--rate", 20, "--duration", "500ms", "--timeout", "600ms", "--http", transport,
               "--json", "--no-store")
    figures = figures_of(run.stdout)
    assert figures["requests"]["total"] == 10, run
    assert figures["requests"]["errors"][error] == 10, (what, figures["requests"], figures.get("samples"))


def test_users_that_pause_keep_their_connections(weir, demo_app):
    """A dip from 200 users to 20 and back: connections are not lost and made anew."""
    app = demo_app(latency="1ms", workers=64)
    path = weir.folder / "dip.json"
    path.write_text(json.dumps({
        "$schema": "weir.scenario.v1", "name": "dip", "target": app.url,
        "flows": {"f": {"weight": 1, "steps": [{"get": "/api/version"}, {"pause": "50ms"}]}},
        "load": [{"executor": "ramping-users", "stages": [
            {"to": 200, "over": "200ms"}, {"to": 200, "over": "1s"}, {"to": 20, "over": "200ms"},
            {"to": 20, "over": "1s"}, {"to": 200, "over": "200ms"}, {"to": 200, "over": "1s"}]}]}))
    run = weir("load", "run", path, "--json", "--no-store")
    figures = figures_of(run.stdout)
    assert figures["requests"]["failed"] == 0, run
    assert figures["load"]["users_max"] == 200
    assert figures["connections"] == 200


def test_a_step_of_the_wall_clock_changes_nothing(weir, demo_app, tmp_path):
    """Half-way the calendar jumps back by an hour; what is measured and scheduled stands on the steady clock."""
    if support.SANITIZER:
        pytest.skip("the sanitizers do not share a process with a preloaded clock")
    compiler = support.need_program("cc")
    source, library = tmp_path / "step.c", tmp_path / "step.so"
    source.write_text("""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdatomic.h>
        #include <time.h>
        int clock_gettime(clockid_t id, struct timespec *t)
        {
                static int (*real)(clockid_t, struct timespec *);
                static atomic_long begun;
                struct timespec steady;
                if (!real)
                        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
                const int r = real(id, t);
                real(CLOCK_MONOTONIC, &steady);
                long first = 0;
                atomic_compare_exchange_strong(&begun, &first, steady.tv_sec);
                if (id == CLOCK_REALTIME && steady.tv_sec > atomic_load(&begun) + 1)
                        t->tv_sec -= 3600;
                return r;
        }
    """)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    app = demo_app(latency="2ms", workers=64)
    run = weir("load", "run", app.url + "/api/version", "--rate", 100, "--duration", "4s", "--json", "--no-store",
               env={"LD_PRELOAD": str(library)})
    figures = figures_of(run.stdout)
    assert figures["load"]["arrivals"] == 400 and figures["requests"]["total"] == 400, run
    assert figures["response_time_us"]["max"] < 3_000_000
    assert figures["duration_s"] == 4.0


def test_memory_does_not_grow_with_the_length_of_a_run(demo_app, start):
    app = demo_app(workers=64)
    program = start("weir", "load", "run", app.url + "/api/version", "--rate", "2000", "--duration", "8s", "--no-store",
                    "--quiet")

    def resident_kib():
        with open(f"/proc/{program.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    support.wait_until("a warm generator", lambda: served(app) > 4000)
    early = resident_kib()
    support.wait_until("three quarters of the run", lambda: served(app) > 12000, support.DEADLINE_S * 4)
    late = resident_kib()
    # A row per second and pages of histograms that were not touched before; a byte per request would be 8 KiB and more.
    assert late - early < (20000 if support.SANITIZER else 2000), (early, late)
