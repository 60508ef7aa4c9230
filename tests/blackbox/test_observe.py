"""weir load run --observe: the demo application, a private PostgreSQL cluster and a real Prometheus, looked at under load."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest
import support

SECRET = "hunter2"

# On a busy machine the generator may call itself the limit; what was observed is just as true.
RAN = (0, 4)


@pytest.fixture
def observe(tmp_path, demo_app):
    """observe([items], duration="3s"): (Result, {series name: series of the summary}) of a run at 100/s."""
    app = demo_app(latency="2ms", workers=8)

    def run(items, *args, duration="3s", rate=100, env=None, items_of=None):
        plan, summary = tmp_path / "observe.json", tmp_path / "summary.json"
        plan.write_text(json.dumps(items_of(app) if items_of else items))
        summary.unlink(missing_ok=True)
        result = support.run_program(
            "weir", "load", "run", app.url + "/api/dashboard", "--rate", rate, "--duration", duration, "--quiet",
            "--observe", plan, "--summary", summary, *args, env=env,
        )  # fmt: skip
        resources = json.loads(summary.read_text())["resources"] if summary.exists() else []
        return result, {series["name"]: series for series in resources}

    run.app = app
    return run


# --- processes, hosts, endpoints -------------------------------------------------------------------------------------


def test_the_application_and_its_host(observe):
    def items(app):
        return [
            {"name": "app", "process": {"listens": app.port}},
            {"name": "same", "process": app.pid},
            {"host": True},
            {
                "name": "demo",
                "json": app.control_url + "/stats",
                "values": {"requests": {"at": "/requests", "rate": True}, "total": "/requests"},
            },
        ]

    result, series = observe(None, items_of=items)
    assert result.status in RAN, result
    assert set(series) >= {"app cpu", "app memory", "app threads", "same cpu", "host cpu", "host memory", "demo total"}
    for name, one in series.items():
        assert one["samples"] == 3 and one["missing"] == 0, (name, one)
    assert 0 < series["app cpu"]["max"] <= series["app cpu"]["limit"]
    assert series["app memory"]["mean"] == pytest.approx(series["same memory"]["mean"], rel=0.05)
    assert series["app memory"]["mean"] > 1e6
    assert series["host memory"]["max"] < series["host memory"]["limit"]
    # weir sent 100 a second, and counts by another clock than the endpoint.
    assert series["demo requests"]["mean"] == pytest.approx(100, rel=0.2)
    assert series["demo total"]["max"] <= 300


def test_the_record_has_the_seconds_and_the_report_shows_them(observe):
    result, _ = observe([{"host": True}], "--json", "--no-store")
    assert result.status in RAN, result
    assert [one["name"] for one in result.json()["resources"]] == ["host cpu", "host stolen", "host memory"]
    result, _ = observe([{"host": True}])
    assert "Server side" in result.stdout and "host memory" in result.stdout, result
    run = result.stdout.split("weir report load ")[1].split(")")[0]
    report = support.run_program("weir", "report", "load", run)
    assert "Server side" in report.stdout and "host memory" in report.stdout, report


def test_a_process_that_ends_is_missing_not_idle(observe, start, tmp_path):
    """Ends with the second that is reached by its own clock: sleep is told for how long."""
    sleeper = start("/bin/sleep", "1.5")
    pid_file = tmp_path / "pid"
    pid_file.write_text(f"{sleeper.pid}\n")
    support.wait_until("sleep to run", lambda: sleeper.running())
    result, series = observe([{"name": "s", "process": {"pid_file": str(pid_file)}}], duration="4s")
    assert result.status in RAN, result
    assert series["s memory"]["samples"] >= 1 and series["s memory"]["missing"] >= 1, series
    assert "no process" in series["s memory"]["why_missing"]
    assert "are missing: there is no process" in " ".join(result.stdout.split()), result


def test_what_cannot_be_observed_is_told_before_any_load(observe):
    result, series = observe([{"name": "q", "json": f"http://u:{SECRET}@127.0.0.1:1/?t={SECRET}", "values": {"a": "/a"}}])
    assert result.status == 3 and not series, result
    assert "'q' of" in result.stderr and "http://127.0.0.1:1/" in result.stderr, result
    assert SECRET not in result.stderr + result.stdout
    assert observe.app.stats()["requests"] == 0


def test_what_the_environment_says_is_never_told(observe):
    """A secret in the path, an odd password, and an address that libpq takes apart in the wrong place."""
    values = {"a": "/a"}
    for item, told in [
        ({"name": "q", "json": "http://127.0.0.1:1/${env.SECRET}/x", "values": values}, "http://127.0.0.1:1/***/x"),
        ({"name": "q", "json": "http://u:${env.ODD}@127.0.0.1:1/", "values": values}, "http://127.0.0.1:1/"),
        ({"name": "q", "json": "${env.URL}", "values": values}, ": q: "),
        ({"name": "q", "postgres": "${env.DB}"}, "PostgreSQL: "),
    ]:
        env = {
            "SECRET": SECRET,
            "ODD": f"p/{SECRET}?x@{SECRET}",
            "URL": f"http://{SECRET}.invalid/{SECRET}",
            "DB": f"postgresql://u:pass/word@{SECRET}.invalid/db?host={SECRET}part.invalid&port=1",
        }
        result, series = observe([item], env=env)
        assert result.status == 3 and not series, result
        assert told in " ".join(result.stderr.split()), result
        assert SECRET not in result.stderr + result.stdout, result


def test_mistakes_in_the_file(observe, tmp_path):
    result, _ = observe([{"hots": True}, {"process": 0}])
    assert result.status == 2, result
    assert "does not say what to observe" in result.stderr and "must be from 1" in result.stderr, result
    result = support.run_program("weir", "load", "run", observe.app.url, "--observe", tmp_path / "none.json")
    assert result.status == 2 or result.status == 3, result
    assert "none.json" in result.stderr, result


def test_a_silent_endpoint_does_not_slow_the_load(observe, peer):
    """It answers the first question, then never again: the run ends on time with what it has."""
    body = b'{"queue": 5}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    endpoint = peer([support.reply(answer), support.never_answer()])
    result, series = observe([{"name": "e", "json": endpoint.url + "/", "values": {"queue": "/queue"}}])
    assert result.status in RAN, result
    assert series["e queue"]["samples"] == 0 and series["e queue"]["missing"] == 3, series
    assert "within" in series["e queue"]["why_missing"] or "time" in series["e queue"]["why_missing"].lower(), series
    assert series["e queue"]["mean"] is None


# --- the key of the scenario -----------------------------------------------------------------------------------------


def scenario(path, target, observe, **more):
    path.write_text(
        json.dumps(
            {
                "name": "s",
                "target": target,
                "flows": {"a": {"steps": [{"get": "/api/dashboard"}]}},
                "load": [{"executor": "constant-rate", "rate": 50, "for": "2s"}],
                "observe": observe,
                **more,
            },
            indent=1,
        )
    )
    return path


def test_the_scenario_says_what_is_observed_and_the_option_wins(tmp_path, demo_app):
    app = demo_app()
    file, only_host = tmp_path / "s.json", tmp_path / "o.json"
    scenario(file, app.url, [{"name": "app", "process": {"listens": app.port}}, {"//": "ours", "host": True}])
    result = support.run_program("weir", "load", "run", file, "--json", "--no-store", "--quiet")
    assert result.status in RAN, result
    names = [series["name"] for series in result.json()["resources"]]
    assert names == ["app cpu", "app memory", "app threads", "host cpu", "host stolen", "host memory"]
    assert all(series["samples"] == 2 for series in result.json()["resources"]), result
    only_host.write_text('[{"host": true, "name": "h"}]')
    result = support.run_program("weir", "load", "run", file, "--json", "--no-store", "--quiet", "--observe", only_host)
    assert [series["name"] for series in result.json()["resources"]] == ["h cpu", "h stolen", "h memory"], result


def test_the_check_knows_what_is_observed(tmp_path):
    file = scenario(tmp_path / "s.json", "http://127.0.0.1:1", [{"name": "app", "process": 7}, {"postgres": "${env.DB}"}])
    result = support.run_program("weir", "scenario", "check", file, env={"DB": f"host=h password={SECRET}"})
    assert result.status == 0 and "; 2 places observed" in result.stdout, result
    result = support.run_program("weir", "scenario", "check", file, "--json", env={"DB": f"host=h password={SECRET}"})
    assert result.json()["observed"] == 2
    result = support.run_program("weir", "scenario", "dump", file, env={"DB": f"host=h password={SECRET}"})
    assert result.stdout.endswith("  observe process app\n  observe postgres postgres\n"), result
    assert SECRET not in result.stdout + result.stderr


def test_mistakes_of_scenario_and_observe_are_told_at_once(tmp_path, demo_app):
    app = demo_app()
    items = [{"hots": True}, {"process": 0}, {"postgres": "${env.NOT_SET}"}, {"host": True, "nmae": "x"}]
    file = scenario(tmp_path / "s.json", app.url, items, warmup="soon")
    lines = file.read_text().splitlines()
    search = ["load", "search", "--slo", "p95(response_time) < 1s"]
    for command in (["scenario", "check"], ["scenario", "try"], ["load", "run"], search):
        result = support.run_program("weir", *command, file)
        assert result.status == 2, result
        for text, message in [
            ('"warmup"', "warmup"),
            ('"process": 0', "must be from 1"),
            ("${env.NOT_SET}", "the environment has no variable NOT_SET"),
            ('"nmae"', "unknown key"),
        ]:
            line = next(number for number, line in enumerate(lines, 1) if text in line)
            told = [one for one in result.stderr.splitlines() if one.startswith(f"{file}:{line}:")]
            assert told and message in told[0], (text, result)
        assert "this item does not say what to observe" in result.stderr
    assert app.stats()["requests"] == 0
    for wrong in ({}, "host", 1):
        result = support.run_program("weir", "scenario", "check", scenario(file, app.url, wrong))
        assert result.status == 2 and "must be an array of what to observe" in result.stderr, result


def test_a_search_observes_its_trials(tmp_path, demo_app):
    app = demo_app(latency="2ms", workers=8)
    store = tmp_path / "weir.db"
    file = scenario(tmp_path / "s.json", app.url, [{"name": "app", "process": {"listens": app.port}}])
    search = ["load", "search", file, "--slo", "p95(response_time) < 2s", "--start", 40, "--most", 80, "--trial", "3s",
              "--confirm", "5s", "--warmup", "1s", "--store", store]  # fmt: skip
    result = support.run_program("weir", *search, "--json", "--quiet", "--http", "curl", deadline_s=200)
    if result.status == 4:
        pytest.skip("this machine was too busy for weir to measure")
    figures = result.json()
    sound = [trial for trial in figures["trials"] if trial["verdict"] != "invalid"]
    assert [one["name"] for one in figures["resources"]] == ["app cpu", "app memory", "app threads"]
    # The last second of each trial is not a whole one.
    assert 0 < len(figures["completed"]) <= sum(trial["held_s"] for trial in sound)
    for one in figures["resources"]:
        assert len(one["values"]) == len(figures["completed"]) and one["missing"] == 0, one
    assert max(figures["completed"]) <= 160
    report = support.run_program("weir", "report", "capacity", "last", "--store", store)
    assert report.status == 0 and "Server side" in report.stdout and "app memory" in report.stdout, report
    # What an option names is observed in place of it; before any load.
    nowhere = tmp_path / "o.json"
    nowhere.write_text('[{"name": "q", "json": "http://127.0.0.1:1/", "values": {"a": "/a"}}]')
    sent = app.stats()["requests"]
    result = support.run_program("weir", *search, "--observe", nowhere)
    assert result.status == 3 and f"'q' of {nowhere} cannot be observed" in result.stderr, result
    result = support.run_program("weir", *search, "--http", "carrier-pigeon")
    assert result.status == 2 and "none of auto, replay, curl" in result.stderr, result
    assert app.stats()["requests"] == sent


def test_what_the_scenario_cannot_observe_is_told_before_any_load(tmp_path, demo_app):
    app = demo_app()
    place = {"name": "q", "json": f"http://u:{SECRET}@127.0.0.1:1/?t={SECRET}", "values": {"a": "/a"}}
    file = scenario(tmp_path / "s.json", app.url, [place])
    result = support.run_program("weir", "load", "run", file, "--quiet")
    assert result.status == 3 and f"'q' of {file} cannot be observed" in result.stderr, result
    assert SECRET not in result.stderr + result.stdout
    assert app.stats()["requests"] == 0


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def pg_program(name):
    """Debian keeps the server's programs out of PATH, one folder per version."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if not path:
        pytest.skip(f"{name} is not installed (./dev test installs it)")
    return path


def as_postgres():
    """The server refuses to run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


class Postgres(support.Program):
    """A cluster of its own on an ephemeral port; ended at once, also with clients."""

    def __init__(self, folder):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="weir-pg-"))
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres", "postgres")
        self.port = support.free_port()
        password = self.home / "password"
        password.write_text(SECRET)
        password.chmod(0o644)
        subprocess.run(
            [*as_postgres(), pg_program("initdb"), "-D", self.home / "data", "-U", "owner", "-A", "scram-sha-256",
             "--pwfile", password, "-N", "--no-instructions"],
            check=True, capture_output=True, cwd=self.home,
        )  # fmt: skip
        super().__init__(
            [*as_postgres(), pg_program("postgres"), "-D", self.home / "data", "-k", self.home, "-p", self.port,
             "-h", "127.0.0.1", "-F", "-c", "shared_preload_libraries=pg_stat_statements", "-c", "max_connections=30"],
            folder, name="postgres",
        )  # fmt: skip
        support.wait_until("PostgreSQL to answer", lambda: self.psql("SELECT 1", check=False).returncode == 0)

    def url(self, user="owner", password=SECRET):
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/postgres"

    def psql(self, sql, check=True):
        assert self.running(), self.stderr
        return subprocess.run(
            [pg_program("psql"), "-X", "-q", "-c", sql, self.url()], check=check, capture_output=True, timeout=30
        )

    def finish(self):
        if self.running():
            self.signal(signal.SIGINT)  # without waiting for clients
        super().finish()
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.fixture
def postgres(started, tmp_path):
    started.append(Postgres(tmp_path / "postgres"))
    return started[-1]


@pytest.fixture
def queries(start, tmp_path):
    """queries(postgres): three clients, each asking for 20 ms of sleep again and again."""

    def start_queries(postgres):
        script = tmp_path / "script.sql"
        script.write_text("SELECT pg_sleep(0.02);\n")
        return start(pg_program("pgbench"), "-n", "-f", script, "-c", "3", "-T", "60", postgres.url())

    return start_queries


def test_postgres(observe, postgres, queries):
    postgres.psql("CREATE EXTENSION pg_stat_statements")
    queries(postgres)
    count = "SELECT 'there are ' || count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(0.02);'"
    support.wait_until("all clients to ask", lambda: b"there are 3" in postgres.psql(count).stdout)
    result, series = observe([{"name": "db", "postgres": "${env.TEST_DB}"}], duration="5s", env={"TEST_DB": postgres.url()})
    assert result.status in RAN, result
    assert series["db connections"]["samples"] == 5 and series["db connections"]["limit"] == 30, series
    assert series["db connections"]["max"] == pytest.approx(3, abs=1)
    assert 1 <= series["db busy"]["max"] <= 3
    assert series["db waiting for locks"]["max"] == 0
    # Three clients of a little over 20 ms each; the server tells its counters when it gets round to it.
    assert 1 < series["db transactions"]["mean"] < 160
    assert 20 < series["db query mean"]["mean"] < 40
    assert 20 < series["db query p95"]["mean"] < 60
    # What weir asks itself is not in it: some statements of no time would pull the mean below that of the sleep.
    assert SECRET not in result.stdout + result.stderr + json.dumps(series)


def test_postgres_does_not_count_its_own_questions(observe, postgres):
    """Nobody asks but weir: after a reset, too, there is no second with a query."""
    postgres.psql("CREATE EXTENSION pg_stat_statements")
    for _ in range(2):
        postgres.psql("SELECT pg_stat_statements_reset()")
        result, series = observe([{"name": "db", "postgres": postgres.url()}], duration="5s")
        assert result.status in RAN, result
        assert series["db connections"]["samples"] == 5, series
        assert series["db query mean"]["samples"] == 0 and series["db query p95"]["samples"] == 0, series


def test_postgres_without_statements_or_rights(observe, postgres):
    postgres.psql(f"CREATE ROLE guest LOGIN PASSWORD '{SECRET}'")
    result, series = observe([{"postgres": postgres.url("guest")}])
    assert result.status in RAN, result
    assert series["postgres connections"]["samples"] == 3
    # A guest would see nobody else's work: that is not known, not 0.
    assert series["postgres busy"]["samples"] == 0 and series["postgres busy"]["mean"] is None
    assert "pg_monitor" in series["postgres busy"]["why_missing"]
    assert series["postgres query mean"]["samples"] == 0
    assert "pg_monitor" in series["postgres query mean"]["why_missing"], series
    assert series["postgres connections"]["why_missing"] is None, series
    result, series = observe([{"postgres": postgres.url()}])
    assert result.status in RAN, result
    assert series["postgres busy"]["missing"] == 0, series
    assert "pg_stat_statements is not in this database" in series["postgres query mean"]["why_missing"], series


def test_postgres_refuses(observe, postgres):
    result, _ = observe([{"postgres": postgres.url(password="wrong-" + SECRET)}])
    assert result.status == 3, result
    assert "password authentication failed" in result.stderr and SECRET not in result.stderr, result


def test_postgres_goes_away(observe, postgres):
    """Killed in the middle by its own clock: seconds before are there, seconds after are missing."""
    killer = subprocess.Popen(["/bin/sh", "-c", f"sleep 1.5; kill -QUIT {postgres.pid}"])
    result, series = observe([{"postgres": postgres.url()}], duration="4s")
    killer.wait()
    assert result.status in RAN, result
    assert series["postgres connections"]["samples"] >= 1 and series["postgres connections"]["missing"] >= 1, series
    assert series["postgres connections"]["why_missing"].startswith("PostgreSQL: "), series


# --- Prometheus ------------------------------------------------------------------------------------------------------


@pytest.fixture
def prometheus(start, tmp_path):
    """One that scrapes itself every second; its URL."""
    path = support.need_program("prometheus")
    port = support.free_port()
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: self, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
    )
    program = start(
        path, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={tmp_path}/tsdb"
    )  # fmt: skip
    program.wait_accepts(port)
    url = f"http://127.0.0.1:{port}"

    def knows_itself():
        answer = support.get(url + "/api/v1/query?query=count(up)")
        return answer.status == 200 and answer.json()["data"]["result"]

    support.wait_until("Prometheus to scrape itself", knows_itself)
    return url


def test_prometheus(observe, prometheus):
    queries = {
        "targets": "sum(up)",
        "memory": {"query": "sum(process_resident_memory_bytes)", "unit": "B"},
        "nothing": "sum(no_such_metric)",
        "nan": "0/0",
        "wrong": "sum(",
    }
    result, series = observe([{"name": "p", "prometheus": prometheus + "/", "queries": queries, "interval": "1s"}])
    assert result.status in RAN, result
    assert series["p targets"]["samples"] == 3 and series["p targets"]["mean"] == 1
    assert series["p memory"]["mean"] > 1e6 and series["p memory"]["unit"] == "B"
    for name in ("p nothing", "p nan", "p wrong"):
        assert series[name]["samples"] == 0 and series[name]["mean"] is None, series[name]
    # Each has its own reason.
    assert series["p nothing"]["why_missing"] == "the query finds nothing", series
    assert series["p nan"]["why_missing"].startswith("the value is not a finite number"), series
    assert series["p wrong"]["why_missing"].startswith("Prometheus refuses the query"), series
