"""weir canary run, status, pause, resume, promote, abort, report rollout: real HAProxy, two demo applications, real load through the balancer."""

import http.client
import json
import os
import re
import signal
import socket

import pytest

import screen
import support

TRAFFIC = {
    "$schema": "weir.scenario.v1",
    "name": "traffic",
    "target": "http://127.0.0.1:1",
    "defaults": {"timeout": "5s", "headers": {"Cookie": "uid=${random.int(1,100000)}"}},
    "flows": {"groups": {"weight": 1, "steps": [{"get": "/api/groups"}]}},
    "load": [{"executor": "constant-rate", "rate": 300, "for": "5m", "arrivals": "poisson", "users": 2000}],
}


# What a version must keep to here. A latency may be three times stable's, because on a machine that is busy with something
# else requests are slow in bunches, and to prove that two versions are alike to a few per cent then takes minutes: how
# well and how fast it decides is for tests/sim to show, these tests are about what comes of the decision.
WIDE = {"errors": {"ratio": 1.5, "slack": "2%"}, "latency": {"ratio": 3, "margin": "10%"}, "warmup": "1s"}


class Rig:
    """Two versions, a balancer's port, load through it, and a plan; everything in one folder with one store."""

    def __init__(self, weir, demo_app, start, tmp_path):
        self.weir, self._demo_app, self._start = weir, demo_app, start
        self.folder = tmp_path / "rig"
        self.folder.mkdir()
        self.store = self.folder / "weir.db"
        self.events = self.folder / "events"
        self.listen = support.free_port()
        self.stable = demo_app(version_name="1.4.1", latency="4ms", workers=64, queue=10000, seed=1)
        self.canary = None

    def start_canary(self, **options):
        self.canary = self._demo_app(version_name="1.4.2", latency="4ms", workers=64, queue=10000, seed=2, **options)

    def plan(self, name="plan.json", **changes):
        plan = {
            "$schema": "weir.rollout.v1",
            "service": "web",
            "environment": "test",
            "stable": {"version": "1.4.1", "servers": [self.stable.address]},
            "canary": {"version": "1.4.2", "servers": [self.canary.address]},
            "traffic": {"driver": "haproxy", "mode": "managed", "listen": f"127.0.0.1:{self.listen}",
                        "sticky": {"cookie": "uid"}, "on_controller_death": "rollback", "lease": "6s"},
            "stages": [{"weight": "20%", "min": "3s", "max": "120s"}, {"weight": "100%", "min": "2s", "max": "120s"}],
            "compare": WIDE,
            "on_inconclusive": "extend",
            **changes,
        }
        path = self.folder / name
        path.write_text(json.dumps(plan, indent=2))
        return path

    def run(self, plan):
        """weir canary run in the background."""
        return self._start("weir", "canary", "run", plan, "--store", self.store, "--events", self.events)

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.listen)) == 0

    def start_traffic(self):
        support.wait_until("HAProxy to listen", self.listens)
        path = self.folder / "traffic.json"
        path.write_text(json.dumps({**TRAFFIC, "target": f"http://127.0.0.1:{self.listen}"}))
        return self._start("weir", "load", "run", path, "--no-store", "--quiet", "--threads", "1")

    def told(self, kind):
        """Events of that type so far."""
        if not self.events.exists():
            return []
        lines = [line for line in self.events.read_text().splitlines() if line.endswith("}")]
        return [e for e in map(json.loads, lines) if e["type"] == kind]

    def wait_event(self, kind, count=1, deadline_s=None):
        return support.wait_until(f"event {kind}", lambda: len(self.told(kind)) >= count and self.told(kind), deadline_s)

    def serves(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.listen, timeout=support.DEADLINE_S)
        connection.request("GET", "/api/version", headers={"Cookie": "uid=1"})
        status = connection.getresponse().status
        connection.close()
        return status == 200

    def is_down(self, arm):
        """Whether HAProxy finds no server of that arm alive."""
        folder = os.open(self.folder / "balancer" / "web-test", os.O_PATH)
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"/proc/self/fd/{folder}/api.sock")
            s.sendall(b"show stat\n")
            answer = b"".join(iter(lambda: s.recv(65536), b"")).decode()
        os.close(folder)
        return any(line.startswith(f"be_{arm},BACKEND,") and ",DOWN," in line for line in answer.splitlines())

    def report(self):
        return self.weir("report", "rollout", "last", "--store", self.store, "--json").json()

    def stop_balancer(self):
        for pid_file in self.folder.rglob("*.pid"):
            try:
                os.kill(int(pid_file.read_text().split()[0]), signal.SIGTERM)
            except (ProcessLookupError, ValueError, IndexError):
                pass


@pytest.fixture
def rig(weir, demo_app, start, tmp_path):
    support.need_program("haproxy")
    one = Rig(weir, demo_app, start, tmp_path)
    yield one
    one.stop_balancer()


# --- the two ends of a rollout ---------------------------------------------------------------------------------------


def test_a_good_canary_is_promoted(rig):
    rig.start_canary()
    run = rig.run(rig.plan())
    rig.start_traffic()
    assert run.wait(240) == 0, run.stderr
    record = rig.report()
    assert record["state"] == "promoted"
    assert rig.told("rollout.promoted") and len(rig.told("weight.verified")) >= 2
    # All traffic is on the new version now, and the balancer goes on without weir.
    rig.canary.reset_stats()
    rig.stable.reset_stats()
    support.wait_until("more requests on the canary", lambda: rig.canary.stats()["requests"] > 100)
    assert rig.stable.stats()["requests"] == 0
    text = rig.weir("report", "rollout", "last", "--store", rig.store)
    assert text.status == 0 and text.stdout.startswith("Rollout report: web") and "PROMOTED" in text.stdout
    assert rig.weir("audit", "verify", "--store", rig.store).status == 0


def test_a_bad_canary_is_rolled_back_by_its_errors(rig):
    rig.start_canary(error_rate=0.5)
    run = rig.run(rig.plan())
    rig.start_traffic()
    assert run.wait(240) == 5, run.stderr
    record = rig.report()
    assert record["state"] == "rolled-back" and record["reason"] == "error-rate"
    assert "ROLLED BACK" in run.stdout and "error" in run.stdout
    assert rig.told("rollback.triggered") and rig.told("rollback.completed")
    rig.canary.reset_stats()
    before = rig.stable.stats()["requests"]
    support.wait_until("more requests on stable", lambda: rig.stable.stats()["requests"] > before + 300)
    assert rig.canary.stats()["requests"] == 0


def test_a_slow_canary_is_rolled_back_by_its_latency(rig):
    rig.start_canary(latency_factor=3)
    run = rig.run(rig.plan(compare={**WIDE, "latency": {"ratio": 1.5, "margin": "10%"}}))
    rig.start_traffic()
    assert run.wait(240) == 5, run.stderr
    assert rig.report()["reason"] == "latency"


def test_a_dead_canary_is_rolled_back_by_its_guard(rig):
    rig.start_canary()
    guard = [{"http": f"{rig.canary.url}/api/health", "every": "1s", "fails": 2}]
    run = rig.run(rig.plan(guards=guard, stages=[{"weight": "20%", "min": "60s", "max": "120s"}, {"weight": "100%"}]))
    rig.start_traffic()
    rig.wait_event("weight.verified", 2)
    rig.canary.kill()
    assert run.wait(240) == 5, run.stderr
    assert rig.report()["reason"] in ("health-check", "error-rate")


# --- bad input -------------------------------------------------------------------------------------------------------


def test_a_wrong_plan_names_every_mistake_in_its_place(rig):
    rig.start_canary()
    path = rig.folder / "bad.json"
    path.write_text(
        '{ "service": "web", "environment": "test",\n'
        '  "stable": { "version": "1", "servers": [ "nowhere" ] },\n'
        '  "canary": { "version": "2", "servers": [] },\n'
        '  "traffic": { "driver": "haproxy", "mode": "managed", "lissten": "127.0.0.1:1" },\n'
        '  "stages": [ { "weight": "50%" }, { "weight": "5%" } ] }\n'
    )
    run = rig.weir("canary", "run", path, "--store", rig.store)
    assert run.status == 2, run
    column = path.read_text().splitlines()[3].index('"lissten"') + 1
    for place in (f"{path}:2:", f"{path}:3:", f"{path}:4:{column}:", f"{path}:5:"):
        assert place in run.stderr, (place, run)
    assert 'did you mean "listen"?' in run.stderr
    lines = run.stderr.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(f"{path}:4:{column}:"))
    assert lines[at + 2].index("^") == lines[at + 1].index('"lissten"')
    assert not rig.listens()


# --- bad days --------------------------------------------------------------------------------------------------------


def test_a_balancer_that_is_not_there_is_one_sentence(rig):
    rig.start_canary()
    run = rig.weir("canary", "run", rig.plan(), "--store", rig.store, "--quiet",
                   env={"WEIR_HAPROXY": "/nowhere/haproxy"})
    assert run.status == 3, run
    assert "/nowhere/haproxy" in run.stderr and len(run.stderr.strip().splitlines()) <= 2


def test_a_port_that_is_taken_is_one_sentence(rig):
    rig.start_canary()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        rig.listen = taken.getsockname()[1]
        run = rig.weir("canary", "run", rig.plan(), "--store", rig.store, "--quiet")
    assert run.status == 3, run
    assert str(rig.listen) in run.stderr


def test_ctrl_c_leaves_and_the_same_command_goes_on(rig):
    rig.start_canary()
    plan = rig.plan(stages=[{"weight": "20%", "min": "4s", "max": "120s"}, {"weight": "100%", "min": "2s", "max": "120s"}])
    run = rig.run(plan)
    rig.start_traffic()
    rig.wait_event("weight.verified", 2)
    run.signal(signal.SIGINT)
    assert run.wait() == 6, run.stderr
    assert rig.serves()
    status = rig.weir("canary", "status", "--store", rig.store)
    assert status.status == 0 and "nobody drives it" in status.stdout, status
    again = rig.run(plan)
    assert again.wait(240) == 0, again.stderr
    record = rig.report()
    assert record["state"] == "promoted"
    ticks = [t["tick"] for t in record["ticks"]]
    assert ticks == sorted(set(ticks)), "no tick is used twice"


def test_a_controller_killed_in_mid_rollout_is_resumed(rig):
    rig.start_canary()
    plan = rig.plan(stages=[{"weight": "20%", "min": "6s", "max": "120s"}, {"weight": "100%", "min": "2s", "max": "120s"}])
    run = rig.run(plan)
    rig.start_traffic()
    rig.wait_event("weight.verified", 2)
    seen = rig.told("evidence")[-1]["tick"]
    run.kill()
    assert rig.serves(), "traffic goes on without weir"
    again = rig.run(plan)
    rig.wait_event("evidence", len(rig.told("evidence")) + 1)
    assert "unfinished rollout" in again.stderr
    assert again.wait(240) == 0, again.stderr
    record = rig.report()
    assert record["state"] == "promoted"
    ticks = [t["tick"] for t in record["ticks"]]
    assert ticks == sorted(set(ticks)) and seen - 6 <= max(t for t in ticks if t <= seen)
    assert rig.weir("audit", "verify", "--store", rig.store).status == 0


def test_a_controller_left_dead_gives_all_traffic_back_to_stable(rig):
    rig.start_canary()
    plan = rig.plan(stages=[{"weight": "50%", "min": "60s", "max": "120s"}, {"weight": "100%"}])
    run = rig.run(plan)
    rig.start_traffic()
    rig.wait_event("weight.verified", 2)
    support.wait_until("canary traffic", lambda: rig.canary.stats()["requests"] > 50)
    run.kill()

    def only_stable():
        canary, stable = rig.canary.stats()["requests"], rig.stable.stats()["requests"]
        support.wait_until("stable to go on", lambda: rig.stable.stats()["requests"] > stable + 150)
        return rig.canary.stats()["requests"] == canary

    # The lease is 6 s; how soon it lapses is measured by the driver's own test, here it has to happen.
    support.wait_until("the balancer to go back by itself", only_stable)
    aborted = rig.weir("canary", "abort", "web", "--reason", "nobody there", "--store", rig.store)
    assert aborted.status == 0 and "ROLLED BACK" in aborted.stdout, aborted


def test_abort_from_another_terminal(rig):
    rig.start_canary()
    plan = rig.plan(stages=[{"weight": "50%", "min": "60s", "max": "120s"}, {"weight": "100%"}])
    run = rig.run(plan)
    rig.start_traffic()
    rig.wait_event("weight.verified", 2)
    status = rig.weir("canary", "status", "web", "--store", rig.store)
    assert status.status == 0 and "driven by" in status.stdout
    aborted = rig.weir("canary", "abort", "web", "--reason", "support tickets", "--store", rig.store,
                       env={"WEIR_ACTOR": "alice"})
    assert aborted.status == 0, aborted
    assert run.wait() == 5
    record = rig.report()
    assert record["state"] == "rolled-back" and record["reason"] == "operator"
    assert any(e["actor"] == "alice" for e in record["events"])
    again = rig.weir("canary", "abort", "web", "--store", rig.store)
    assert again.status == 0 and "ROLLED BACK" in again.stdout, "it is on stable, as asked"


def test_pause_resume_and_promote_from_another_terminal(rig):
    """Stages of a minute, so that nothing but people moves it."""

    def ask(verb, *args, actor="alice"):
        return rig.weir("canary", verb, "web", "--store", rig.store, *args, env={"WEIR_ACTOR": actor})

    rig.start_canary()
    run = rig.run(rig.plan(stages=[{"weight": "20%", "min": "60s", "max": "120s"}, {"weight": "100%", "min": "60s"}]))
    rig.start_traffic()
    rig.wait_event("weight.verified", 2)
    nothing = ask("resume")
    assert nothing.status == 1 and "neither paused nor held" in nothing.stderr and not nothing.stdout, nothing
    paused = ask("pause", "--reason", "lunch")
    assert paused.status == 0 and "is paused" in paused.stdout, paused
    support.wait_until("the hold", lambda: rig.report()["state"] == "holding")
    again = ask("pause", actor="bob")
    assert again.status == 1 and "it is paused already" in again.stderr, again
    resumed = ask("resume", "--json", actor="bob")
    assert resumed.status == 0 and resumed.json()["type"] == "operator.resumed", resumed
    assert resumed.json()["actor"] == "bob" and "measured" in resumed.json()["data"]
    promoted = ask("promote", "--reason", "seen enough")
    assert promoted.status == 0 and "the rest of its stage" in promoted.stdout, promoted
    rig.wait_event("weight.verified", 3)
    assert rig.told("weight.verified")[-1]["after"]["weight_bp"] == 10000
    assert ask("promote").status == 0
    assert run.wait() == 0, run.stderr
    over = ask("pause")
    assert over.status == 1 and "the rollout is over: promoted" in over.stderr, over
    record = rig.report()
    asked = [(e["type"], e["actor"], e["data"].get("text")) for e in record["events"] if e["type"].startswith("operator.")]
    assert asked == [
        ("operator.ignored", "alice", "it is neither paused nor held"),
        ("operator.paused", "alice", "lunch"),
        ("operator.ignored", "bob", "it is paused already"),
        ("operator.resumed", "bob", None),
        ("operator.promoted", "alice", "seen enough"),
        ("operator.promoted", "alice", None),
    ]
    assert record["state"] == "promoted"
    unknown = rig.weir("canary", "pause", "nothing-of-that-name", "--store", rig.store)
    assert unknown.status == 2 and "nothing-of-that-name" in unknown.stderr, unknown


def test_what_a_dead_controller_was_asked_never_happens(rig):
    rig.start_canary()
    plan = rig.plan(stages=[{"weight": "20%", "min": "60s", "max": "120s"}, {"weight": "100%", "min": "60s"}])
    run = rig.run(plan)
    rig.start_traffic()
    rig.wait_event("weight.verified", 2)
    run.kill()
    promoted = rig.weir("canary", "promote", "web", "--store", rig.store)
    assert promoted.status == 3 and "does not answer; the request was withdrawn" in promoted.stderr, promoted
    run = rig.run(plan)
    rig.wait_event("rollout.resumed")
    # Requests are taken in order: had the other one stayed, it would have been first.
    paused = rig.weir("canary", "pause", "web", "--store", rig.store)
    assert paused.status == 0, paused
    support.wait_until("the hold", lambda: rig.report()["state"] == "holding")
    assert not rig.told("operator.promoted")
    run.signal(signal.SIGINT)
    assert run.wait() == 6
    nobody = rig.weir("canary", "resume", "web", "--store", rig.store)
    assert nobody.status == 3 and "nobody drives this rollout now" in nobody.stderr, nobody


def test_a_second_controller_is_refused(rig):
    rig.start_canary()
    plan = rig.plan(stages=[{"weight": "50%", "min": "60s", "max": "120s"}, {"weight": "100%"}])
    run = rig.run(plan)
    rig.wait_event("rollout.started")
    second = rig.weir("canary", "run", plan, "--store", rig.store, "--quiet")
    assert second.status == 3 and re.search(r"held|driven", second.stderr), second
    run.signal(signal.SIGINT)
    assert run.wait() == 6


def test_too_little_traffic_is_inconclusive_never_success(rig):
    rig.start_canary()
    plan = rig.plan(stages=[{"weight": "20%", "min": "1s", "max": "4s"}, {"weight": "100%"}], on_inconclusive="abort",
                    accept_low_power=True)
    run = rig.run(plan)
    traffic = rig.start_traffic()
    rig.wait_event("weight.verified", 2)
    traffic.kill()
    assert run.wait() == 5, run.stderr
    record = rig.report()
    assert record["state"] == "rolled-back" and record["reason"] == "deadline"


def test_a_promoted_rollout_goes_back_while_the_old_version_is_kept(rig):
    rig.start_canary()
    plan = rig.plan()
    run = rig.run(plan)
    rig.start_traffic()
    assert run.wait(240) == 0, run.stderr
    assert "weir canary abort" in rig.weir("canary", "status", "web", "--store", rig.store).stdout
    kept = rig.report()
    assert kept["state"] == "promoted" and kept["kept_until"] > kept["finished_at"]

    def abort(*args):
        return rig.weir("canary", "abort", "web", "--store", rig.store, *args, env={"WEIR_ACTOR": "alice"})

    back = abort("--reason", "support tickets")
    assert back.status == 0 and "ROLLED BACK" in back.stdout, back
    rig.canary.reset_stats()
    before = rig.stable.stats()["requests"]
    support.wait_until("all traffic on stable", lambda: rig.stable.stats()["requests"] > before + 300)
    assert rig.canary.stats()["requests"] == 0
    record = rig.report()
    assert (record["state"], record["reason"]) == ("rolled-back", "operator")
    assert record["kept_until"] is None and record["took_us"]["to_zero"] and record["took_us"]["to_proof"]
    types = [e["type"] for e in record["events"]]
    assert types.index("rollout.promoted") < types.index("rollback.triggered") < types.index("rollback.completed")
    assert any(e["type"] == "rollback.triggered" and e["actor"] == "alice" for e in record["events"])
    assert rig.weir("audit", "verify", "--store", rig.store).status == 0
    # Promoted again, and now the old version is gone: nothing is switched.
    again = rig.run(plan)
    assert again.wait(240) == 0, again.stderr
    rig.stable.kill()
    support.wait_until("HAProxy to see that stable is gone", lambda: rig.is_down("stable"))
    r = abort()
    assert r.status == 3 and "nothing was switched" in r.stderr and "no server of the old version 1.4.1 is in service" in r.stderr, r
    assert rig.report()["state"] == "promoted" and rig.serves()
    rig.stop_balancer()
    gone = abort()
    assert gone.status == 3 and "nothing was switched" in gone.stderr, gone


def test_what_is_not_kept_does_not_come_back(rig):
    rig.start_canary()
    plan = rig.plan(keep_old="0s", stages=[{"weight": "20%", "min": "1s", "max": "120s"}, {"weight": "100%", "min": "1s"}])
    run = rig.run(plan)
    rig.start_traffic()
    assert run.wait(240) == 0, run.stderr
    late = rig.weir("canary", "abort", "web", "--store", rig.store)
    assert late.status == 1 and "keeps no old version" in late.stderr, late
    assert rig.report()["state"] == "promoted"


def test_the_canary_has_to_keep_the_baseline_in_a_load_test(rig, tmp_path):
    """Load-tested by itself before the start; HAProxy is not even started when it fails."""

    def load_test(url):
        path = tmp_path / "flows.json"
        path.write_text(json.dumps({**TRAFFIC, "name": "flows", "target": url,
                                    "load": [{"executor": "constant-rate", "rate": 200, "for": "5s", "users": 100}]}))
        for _ in range(3):
            run = rig.weir("load", "run", path, "--store", rig.store, "--quiet")
            assert run.status in (0, 4), run
            if run.status == 0:
                return
        pytest.skip("this machine was too busy for a valid run")

    def refused(reason, status, words):
        run = rig.weir("canary", "run", plan, "--store", rig.store, "--quiet")
        assert run.status == status and words in run.stdout, run
        record = rig.report()
        assert (record["state"], record["reason"]) == ("failed", reason)
        failed = [e for e in record["events"] if e["type"] == "gate.failed"]
        assert len(failed) == 1 and words in failed[0]["data"]["text"] and failed[0]["data"]["gate"] == "baseline"
        assert not rig.listens()

    rig.start_canary(latency_factor=5)
    plan = rig.plan(baseline="flows@1.4.1")
    refused("gate", 6, "no baseline 'flows@1.4.1'")
    load_test(rig.stable.url)
    assert rig.weir("baseline", "set", "flows@1.4.1", "--store", rig.store).status == 0
    refused("gate", 6, "the canary was not load-tested")
    load_test(rig.canary.url)
    refused("baseline", 1, "is worse than the baseline: p")
    rig.start_canary()
    load_test(rig.canary.url)
    run = rig.run(rig.plan(baseline="flows@1.4.1"))
    assert "keeps the baseline" in rig.wait_event("gate.passed")[0]["data"]["text"]
    rig.wait_event("rollout.started")
    run.signal(signal.SIGINT)
    assert run.wait() == 6


def test_a_plan_that_could_see_nothing_is_refused_before_anything_moves(rig):
    """300 requests/s and 6 s at 20 % cannot show an error rate of 0.2 %."""
    rig.start_canary()
    few = {"stages": [{"weight": "20%", "min": "1s", "max": "6s"}, {"weight": "100%", "min": "1s"}],
           "compare": {"errors": {"ratio": 1.5, "slack": "0.1%"}, "warmup": "1s"}, "on_inconclusive": "abort"}
    run = rig.run(rig.plan(**few))
    rig.start_traffic()
    assert run.wait(240) == 6, run.stderr
    assert "too little to see what the plan guards against" in run.stdout, run.stdout
    record = rig.report()
    assert record["state"] == "failed" and record["reason"] == "low-power"
    assert [e["type"] for e in record["events"]].count("gate.failed") == 1
    assert all(t["weight_bp"] == 0 for t in record["ticks"]) and rig.canary.stats()["requests"] == 0
    accepted = rig.run(rig.plan(**few, accept_low_power=True))
    told = rig.wait_event("gate.overridden", deadline_s=90)[0]
    assert told["severity"] == "warning" and "too little" in told["data"]["text"]
    assert [s["weight_bp"] for s in told["data"]["power"]["stages"]] == [2000, 10000]
    assert accepted.wait(240) == 5, "no verdict within 6 s, as foretold"
    assert rig.report()["reason"] == "deadline"


# --- the live view ---------------------------------------------------------------------------------------------------


def test_the_view_of_a_rollout_keeps_to_every_size(rig):
    rig.start_canary(error_rate=0)
    plan = rig.plan(stages=[{"weight": "20%", "min": "5m", "max": "10m"}])
    program = screen.OnTerminal([support.BUILD / "weir", "canary", "run", plan, "--store", rig.store], 90, 30, rig.folder)
    try:
        rig.start_traffic()

        def shows(*words):
            with program.lock:
                assert program.process.poll() is None, program.screen.plain
                return all(word in program.screen.text() for word in words)

        support.wait_until("both arms", lambda: shows("web/test", "stable", "canary", "harm", "promote", "1.4.2", "p99"))
        for columns, rows in ((40, 10), (120, 50), (61, 6)):
            program.resize(columns, rows)
            support.wait_until("a picture", lambda: shows("web/test", "stable", "canary"))
            with program.lock:
                program.screen.too_long.clear()
                frames = program.screen.frames
            support.wait_until("another", lambda n=frames: program.screen.frames > n + 1)
            with program.lock:
                assert program.screen.too_long == []
        program.process.send_signal(signal.SIGINT)
        assert program.finish(support.DEADLINE_S) == 6
        assert not program.screen.alternate and program.screen.cursor_shown and program.screen.wrap
        assert "resumes the rollout" in program.screen.plain
    finally:
        program.kill()
