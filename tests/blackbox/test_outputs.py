"""What a run leaves beside its record, and what it shows while it goes on, read by parsers that are not weir's."""

import csv
import io
import json
import os
import re
import signal
import socket
import stat
import subprocess
import xml.etree.ElementTree

import pytest

import hlog_decoder
import screen
import support

SCENARIO = {
    "$schema": "weir.scenario.v1",
    "name": "two-flows",
    "target": "http://127.0.0.1:1",
    "flows": {
        "version": {"weight": 3, "steps": [{"name": "get", "get": "/api/version", "check": [{"status": 200}]}]},
        "groups": {"weight": 1, "steps": [{"name": "list", "get": "/api/groups", "check": [{"status": 200}]}]},
    },
    "load": [{"executor": "constant-rate", "rate": 150, "for": "3s"}],
    "thresholds": ["p95(response_time) < 2s", "error_rate(flow=groups) < 1%"],
}


def scenario(weir, target, **changes):
    path = weir.folder / "scenario.json"
    path.write_text(json.dumps({**SCENARIO, "target": target, **changes}))
    return path


def all_outputs(weir):
    names = ("summary", "hlog", "junit", "csv", "markdown")
    paths = {name: weir.folder / f"out.{name}" for name in names}
    return paths, [word for name in names for word in (f"--{name}", paths[name])]


# --- the rendered ones, on every kind of record ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """What tests/conform/test_outputs.c renders: every output of every kind of record, hostile names among them."""
    program = support.BUILD / "tests" / "test_conform_outputs"
    if not program.exists():
        pytest.skip(f"{program} is not built (./dev test builds it)")
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([program], env={**os.environ, "WEIR_OUTPUTS_FOLDER": str(folder)}, check=True, capture_output=True)
    return folder


def test_junit_is_xml_for_every_record(samples):
    files = sorted(samples.glob("*.junit.xml"))
    assert len(files) == 9
    for path in files:
        root = xml.etree.ElementTree.parse(path).getroot()
        assert root.tag == "testsuites"
        assert int(root.get("tests")) == len(root.findall(".//testcase"))
        assert int(root.get("failures")) == len(root.findall(".//failure"))
        assert all(failure.text.strip() for failure in root.iter("failure")), path
        assert path.stat().st_size < 16 << 20
    suites = [s.get("name") for s in xml.etree.ElementTree.parse(samples / "failing.junit.xml").getroot()]
    assert suites == ["whole run", "auth", "messages"]


def test_csv_is_a_table_for_every_record(samples):
    files = sorted(samples.glob("*.csv"))
    assert len(files) == 9
    for path in files:
        rows = list(csv.reader(io.StringIO(path.read_text())))
        assert len({len(row) for row in rows}) == 1, path
        for row in rows[1:]:
            figures = dict(zip(rows[0], row))
            assert figures.pop("phase") in ("", "warm-up", "ramp", "steady")
            assert all(cell == "" or float(cell) is not None for cell in figures.values())
    assert "unverified_response_p99_us" in (samples / "invalid.csv").read_text().splitlines()[0]


def test_markdown_cannot_be_abused(samples):
    files = sorted(samples.glob("*.md"))
    assert len(files) == 9
    for path in files:
        text = path.read_text()
        assert text.startswith("### ") and len(text.encode()) < 60 * 1024, path
        # The only HTML is ours, and nothing mentions anybody or links anywhere.
        assert set(re.findall(r"</?[a-z]+", text)) <= {"<details", "</details", "<summary", "</summary"}, path
        assert "@" not in text and not re.search(r"(?<!\\)\]\(", text), path
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


# --- a real run ------------------------------------------------------------------------------------------------------


def test_all_outputs_of_a_run_tell_the_same(weir, demo_app):
    app = demo_app(latency="5ms", workers=16, seed=1)
    paths, words = all_outputs(weir)
    run = weir("load", "run", scenario(weir, app.url), *words, "--threshold", "p50(response_time) < 1us")
    assert run.status in (1, 4), run
    figures = json.loads(paths["summary"].read_text())
    if run.status == 4:
        assert not paths["hlog"].exists() and (weir.folder / "out.hlog.unverified").exists()
        pytest.skip("this machine was too busy for a valid run")
    total = figures["requests"]["total"]
    assert total == 450

    rows = list(csv.DictReader(io.StringIO(paths["csv"].read_text())))
    assert sum(int(row["completed_requests"]) for row in rows) == total
    assert [int(row["second"]) for row in rows[:3]] == [0, 1, 2]
    assert {row["phase"] for row in rows} == {"steady"}
    assert 0 < max(int(row["local_ports"]) for row in rows) and figures["manifest"]["local_ports"] > 0

    root = xml.etree.ElementTree.parse(paths["junit"]).getroot()
    failed = root.findall(".//testcase[failure]")
    assert [case.get("name") for case in failed] == ["p50(response_time) < 1us"]
    assert "450 requests" in failed[0].find("failure").text
    assert root.find("testsuite[@name='groups']/testcase[@name='error_rate(flow=groups) < 1%']") is not None

    markdown = paths["markdown"].read_text()
    assert markdown.startswith("### NOT MET: two-flows") and "450 requests" in markdown

    # From the store, the same bytes.
    again = {name: weir.folder / f"again.{name}" for name in ("junit", "csv", "markdown")}
    report = weir("report", "load", "last", *[word for name, path in again.items() for word in (f"--{name}", path)])
    assert report.status == 0 and report.stdout == "", report
    for name, path in again.items():
        assert path.read_text() == paths[name].read_text(), name
    alone = weir("report", "load", "last", "--markdown", "-")
    assert alone.stdout == markdown


def test_the_histogram_log_is_that_of_the_record(weir, demo_app):
    app = demo_app(latency="5ms", workers=16, seed=1)
    path = weir.folder / "run.hlog"
    run = weir("load", "run", scenario(weir, app.url), "--hlog", path, "--json", "--no-store")
    if run.status == 4:
        pytest.skip("this machine was too busy for a valid run")
    figures = run.json()
    comments, intervals = hlog_decoder.read(path.read_text())
    assert "1.3" in comments[0] and any("StartTime" in line for line in comments)
    assert any("BaseTime" in line for line in comments)
    untagged = [i for i in intervals if i.tag is None]
    assert len(untagged) in (3, 4)
    assert [i.start for i in untagged] == sorted(i.start for i in untagged)
    assert all(0.5 < i.length < 2.5 for i in untagged)
    places = {None: figures["response_time_us"]}
    places.update({flow["name"]: flow["response_time_us"] for flow in figures["flows"]})
    for tag, expected in places.items():
        parts = [i.histogram for i in intervals if i.tag == tag]
        whole = parts[0]
        for part in parts[1:]:
            whole.add(part)
        assert whole.total == expected["count"], tag
        for name, q in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)):
            # The record never says more than the largest recorded value; a bucket's end may be 1 in 1,000 above it.
            measured = min(whole.quantile(q) / 1000, expected["max"])
            assert abs(measured - expected[name]) <= 0.001 * expected[name] + 1, (tag, name)
    assert set(i.tag for i in intervals) == {None, "version", "groups", "set-up-connect"}
    opened = sum(i.histogram.total for i in intervals if i.tag == "set-up-connect")
    assert opened == figures["set_up"]["connect_us"]["count"] == figures["connections"] > 0
    for one in untagged:
        flows = [i for i in intervals if i.tag in ("version", "groups") and i.start == one.start]
        assert sum(i.histogram.total for i in flows) == one.histogram.total


def test_the_warmup_is_kept_apart(weir, demo_app):
    app = demo_app(latency="5ms", workers=16, seed=1)
    path = weir.folder / "run.hlog"
    flows = {"warmup": SCENARIO["flows"]["version"]}  # a flow may be called like the tag
    run = weir("load", "run", scenario(weir, app.url, flows=flows, warmup="1s", thresholds=["error_rate < 1%"]),
               "--hlog", path, "--json", "--no-store")
    figures = json.loads(run.stdout)
    warmup, valid = figures["warmup"], figures["validity"]["state"] != "invalid"
    assert (warmup["requests"], figures["requests"]["total"], warmup["failed"]) == (150, 300, 0), figures
    if not valid:
        pytest.skip("this machine was too busy for a valid run")
    assert warmup["response_time_us"]["count"] == warmup["service_time_us"]["count"] == 150
    assert figures["response_time_us"]["count"] == 300
    assert 4000 < warmup["service_time_us"]["p50"] <= warmup["response_time_us"]["p50"]
    _, intervals = hlog_decoder.read(path.read_text())
    apart = [i for i in intervals if i.tag == "(warmup)"]
    measured = [i for i in intervals if i.tag == "warmup"]
    assert sum(i.histogram.total for i in apart) == 150 and sum(i.histogram.total for i in measured) == 300
    assert apart[0].start < 0.1 and all(i.start < 1.5 for i in apart)
    assert measured[0].start > 0.5


def test_ramps_are_marked_by_the_plan(weir, demo_app):
    app = demo_app(workers=16)
    path = weir.folder / "rows.csv"
    load = [{"executor": "ramping-users", "from": 2, "stages": [{"to": 2, "over": "2s"}, {"to": 6, "over": "2s"},
                                                                  {"to": 6, "over": "2s"}]},
            {"executor": "constant-rate", "rate": 5, "for": "1s", "start": "5s", "users": 2}]
    run = weir("load", "run", scenario(weir, app.url, load=load, warmup="1s", thresholds=["error_rate < 1%"]),
               "--csv", path)
    assert run.status in (0, 4), run
    rows = {int(row["second"]): row["phase"] for row in csv.DictReader(io.StringIO(path.read_text()))}
    # Of the run's seconds: 0 warm-up, 1 steady, 2 and 3 a ramp, 4 steady, 5 another executor begins.
    assert [rows[second] for second in range(-1, 5)] == ["warm-up", "steady", "ramp", "ramp", "steady", "ramp"], rows


def test_an_interrupted_run_has_whole_outputs(weir, demo_app, start):
    app = demo_app(latency="2ms", workers=16)
    paths, words = all_outputs(weir)
    program = start("weir", "load", "run",
                    scenario(weir, app.url, load=[{"executor": "constant-rate", "rate": 50, "for": "1h"}]), *words)
    # Runs of more than ten minutes have intervals of ten seconds; the last one is shorter, and not lost.
    support.wait_until("some requests", lambda: app.stats()["requests"] > 60)
    program.signal(signal.SIGINT)
    assert program.wait() == 5
    figures = json.loads(paths["summary"].read_text())
    figures = {**figures, **figures.get("unverified", {})}
    path = paths["hlog"] if paths["hlog"].exists() else weir.folder / "out.hlog.unverified"
    _, intervals = hlog_decoder.read(path.read_text())
    assert sum(i.histogram.total for i in intervals if i.tag is None) == figures["requests"]["total"]
    root = xml.etree.ElementTree.parse(paths["junit"]).getroot()
    assert all(case.find("failure") is None for case in root.iter("testcase") if "p95" in case.get("name"))
    assert paths["markdown"].read_text().startswith(("### ABORTED", "### INVALID"))


def test_secrets_reach_no_output(weir, demo_app):
    app = demo_app(error_rate=1.0)
    secret = "s3cr3t-word"
    paths, words = all_outputs(weir)
    run = weir("load", "run", app.url + "/api/me", "--rate", 20, "--duration", "1s", "-H", f"Authorization: {secret}", *words)
    assert run.status in (0, 1, 4), run
    for path in weir.folder.glob("out.*"):
        assert secret not in path.read_text(), path


def test_what_cannot_be_written_stops_before_any_load(weir, peer):
    target = peer()
    (weir.folder / "folder").mkdir()
    for name in ("summary", "hlog", "junit", "csv", "markdown"):
        for path in ("no/such/folder/x", "folder"):
            run = weir("load", "run", target.url, f"--{name}", path)
            assert run.status == 3 and path in run.stderr, run
    for words in (("--csv", "x", "--junit", "x"), ("--csv", "-", "--markdown", "-"), ("--csv", "-", "--json")):
        run = weir("load", "run", target.url, *words)
        assert run.status == 2, run
    assert target.connections == 0


def test_stdout_belongs_to_one_output(weir, demo_app):
    app = demo_app()
    run = weir("load", "run", app.url + "/api/version", "--rate", 50, "--duration", "1s", "--csv", "-")
    assert run.status in (0, 4), run
    assert all(len(row) == 20 for row in csv.reader(io.StringIO(run.stdout)))


# --- metrics ---------------------------------------------------------------------------------------------------------

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$')


def parse_metrics(text):
    """{name: {labels: value}} of exposition format 0.0.4; fails on what is not."""
    types, values = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types
            types[name] = kind
        elif not line.startswith("# HELP "):
            found = SAMPLE.match(line)
            assert found, line
            name, labels, value = found.groups()
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            assert name in types or types.get(family) == "histogram", line
            assert (labels or "") not in values.setdefault(name, {}), line
            values[name][labels or ""] = float(value)
    return values


def test_metrics_are_served_while_it_runs(weir, demo_app, start):
    app = demo_app(latency="2ms", workers=16)
    program = start("weir", "load", "run",
                    scenario(weir, app.url, load=[{"executor": "constant-rate", "rate": 100, "for": "6s"}]),
                    "--metrics", "127.0.0.1:0", "--no-store")
    url = support.wait_until("the address", lambda: re.search(r"http://\S+/metrics", program.stderr)).group()

    def scrape():
        return parse_metrics(support.get(url).text)

    first = support.wait_until("the first figures", lambda: (m := scrape()).get("weir_requests_total") and m)
    second = support.wait_until("newer figures", lambda: (m := scrape())["weir_run_elapsed_seconds"]
                                != first["weir_run_elapsed_seconds"] and m)
    assert set(second["weir_requests_total"]) == {'flow="version"', 'flow="groups"'}
    for labels, value in first["weir_requests_total"].items():
        assert second["weir_requests_total"][labels] > value
    buckets = second["weir_response_time_seconds_bucket"]
    for flow in ("version", "groups"):
        column = [v for k, v in buckets.items() if f'flow="{flow}"' in k]
        assert column == sorted(column)
        assert column[-1] == second["weir_response_time_seconds_count"][f'flow="{flow}"']
        assert column[-1] == second["weir_requests_total"][f'flow="{flow}"']
    assert sum(second["weir_requests_total"].values()) == second["weir_service_time_seconds_count"][""]
    assert program.wait() in (0, 4)
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", int(re.search(r":(\d+)/", url).group(1)))) != 0


def test_a_taken_port_stops_before_any_load(weir, peer):
    target = peer()
    run = weir("load", "run", target.url, "--metrics", target.address)
    assert run.status == 3 and "--metrics" in run.stderr and target.address in run.stderr, run
    wrong = weir("load", "run", target.url, "--metrics", "nonsense")
    assert wrong.status == 2, wrong
    assert target.connections == 0


# --- the live view ---------------------------------------------------------------------------------------------------


@pytest.fixture
def on_terminal(weir):
    programs = []

    def start_on_terminal(columns, rows, *args, env=None):
        programs.append(screen.OnTerminal([support.BUILD / "weir", *args], columns, rows, weir.folder, env=env))
        return programs[-1]

    yield start_on_terminal
    for program in programs:
        program.kill()


def wait_frames(program, count):
    before = program.screen.frames

    def drawn():
        assert program.process.poll() is None, program.screen.plain
        return program.screen.frames >= before + count

    support.wait_until(f"{count} more pictures", drawn)


def restored(program):
    s = program.screen
    return not s.alternate and s.cursor_shown and s.wrap


def test_the_view_keeps_to_every_size(weir, demo_app, on_terminal):
    app = demo_app(latency="2ms", workers=16)
    path = scenario(weir, app.url, load=[{"executor": "constant-rate", "rate": 50, "for": "10m"}])
    program = on_terminal(100, 30, "load", "run", path, "--no-store")
    wait_frames(program, 2)
    with program.lock:
        text = program.screen.text()
        assert program.screen.alternate and not program.screen.cursor_shown
        assert all(word in text for word in ("two-flows", "offered", "answered", "response", "service", "errors",
                                             "generator", "version", "groups", "left")), text
        assert re.search("[▁▂▃▄▅▆▇█]{2}", text), text
    for columns, rows in ((40, 10), (200, 60), (20, 3), (61, 7)):
        program.resize(columns, rows)
        program.screen.too_long.clear()
        # The next picture is of the new size; what was under way when the size changed may still be of the old one.
        wait_frames(program, 1)
        with program.lock:
            program.screen.too_long.clear()
        wait_frames(program, 1)
        with program.lock:
            assert program.screen.too_long == [], (columns, rows)
            text = program.screen.text()
            assert "two-flows"[: columns // 3] in text and "response"[:8] in text, (columns, rows, text)
    program.process.send_signal(signal.SIGINT)
    assert program.finish(support.DEADLINE_S) == 5
    assert restored(program)
    assert "ABORTED" in program.stdout_path.read_text(), "the summary takes the place of the view"


def test_a_log_of_histograms_replaces_nothing_before_there_is_something(weir, tmp_path):
    log, device = tmp_path / "log.hlog", tmp_path / "null"
    log.write_text("yesterday's")
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        device = None
    for path in filter(None, (log, device)):
        run = weir("load", "run", "http://127.0.0.1:1/", "--duration", "1s", "--no-store", "--hlog", path)
        assert run.status == 3 and path.exists(), run
    assert log.read_text() == "yesterday's"
    run = weir("load", "run", "http://127.0.0.1:1/", "--duration", "1s", "--no-store", "--hlog", tmp_path / "new.hlog")
    assert run.status == 3 and not (tmp_path / "new.hlog").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGSEGV, signal.SIGABRT])
def test_the_screen_comes_back_however_it_ends(weir, demo_app, on_terminal, number):
    if support.SANITIZER and number in (signal.SIGSEGV, signal.SIGABRT):
        pytest.skip("the sanitizer has these signals for itself")
    app = demo_app(workers=16)
    program = on_terminal(80, 24, "load", "run", app.url + "/api/version", "--rate", 20, "--duration", "60s", "--no-store")
    wait_frames(program, 1)
    program.process.send_signal(number)
    status = program.finish(support.DEADLINE_S)
    assert status == 5 if number in (signal.SIGINT, signal.SIGTERM) else status == -number
    assert program.screen.ever_alternate and restored(program)


def test_a_stopped_view_gives_the_screen_back(weir, demo_app, on_terminal):
    app = demo_app(workers=16)
    program = on_terminal(80, 24, "load", "run", app.url + "/api/version", "--rate", 20, "--duration", "60s", "--no-store")
    wait_frames(program, 1)
    program.process.send_signal(signal.SIGTSTP)
    support.wait_until("the screen to be given back", lambda: restored(program))
    program.process.send_signal(signal.SIGCONT)
    support.wait_until("the view again", lambda: program.screen.alternate)
    wait_frames(program, 1)
    program.process.send_signal(signal.SIGINT)
    assert program.finish(support.DEADLINE_S) == 5
    assert restored(program)


def test_no_screen_where_there_is_no_terminal(weir, demo_app, on_terminal):
    app = demo_app(workers=16)
    words = ("load", "run", app.url + "/api/version", "--rate", 20, "--duration", "2s", "--no-store")
    plain = weir(*words)
    assert "\x1b" not in plain.stderr and "/s offered" in plain.stderr, plain
    assert weir(*words, "--quiet").stderr == ""
    for env, more in (({"TERM": "dumb"}, ()), ({}, ("--quiet",))):
        program = on_terminal(80, 24, *words, *more, env=env)
        assert program.finish(support.DEADLINE_S) in (0, 4)
        assert not program.screen.ever_alternate


def test_no_colour_is_no_colour(weir, demo_app, on_terminal):
    app = demo_app(workers=16)
    program = on_terminal(80, 24, "load", "run", app.url + "/api/version", "--rate", 20, "--duration", "2s", "--no-store",
                          env={"LC_ALL": "C", "NO_COLOR": "1"})
    wait_frames(program, 1)
    with program.lock:
        text = program.screen.text()
        assert text.isascii() and ("sound" in text or "STRAINED" in text), text
    assert program.finish(support.DEADLINE_S) in (0, 4)
