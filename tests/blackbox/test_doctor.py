"""weir doctor: what it says about this machine is this machine's business; that it says it well is ours."""

import pytest

import support

NAMES = ["descriptors", "ports", "processors", "memory", "timers", "others", "clock", "self-test", "store", "haproxy",
         "libraries"]


def findings(run):
    return {f["name"]: f for f in run.json()["findings"]}


def test_every_thing_is_looked_at(weir):
    run = weir("doctor", "--json")
    found = findings(run)
    assert sorted(found) == sorted(NAMES)
    assert run.json()["schema"] == "weir.doctor.v1"
    states = [f["state"] for f in found.values()]
    assert run.status == (3 if "fail" in states else 0), run
    worst = max(states, key=["ok", "warn", "fail"].index)
    assert run.json()["state"] == worst
    for f in found.values():
        assert f["found"] and f["why"], f
        assert ("advice" in f) == (f["state"] != "ok"), f
    assert found["self-test"]["state"] != "fail" and found["store"]["state"] != "fail", run
    assert "libcurl" in found["libraries"]["found"] and "sqlite" in found["libraries"]["found"]


def test_the_text_says_why_and_what_to_do(weir):
    run = weir("doctor", "--quiet", env={"WEIR_HAPROXY": "/no/such/haproxy"})
    assert run.status in (0, 3) and run.stderr == "", run
    lines = run.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("  warn  haproxy"))
    rest = " ".join(" ".join(lines[at:]).split())
    assert "Why it matters: weir canary" in rest and "WEIR_HAPROXY" in rest, run
    assert all(len(line) <= 80 for line in lines), run
    assert "ABLE" in lines[-1] or "ABLE" in lines[-2]


def test_a_store_that_cannot_be_written_is_a_failure(weir):
    no_store = weir.folder / "file"
    no_store.write_text("this is no database, and longer than a header of one would be " * 20)
    run = weir("doctor", "--json", "--store", no_store)
    assert run.status == 3 and findings(run)["store"]["state"] == "fail", run
    run = weir("doctor", "--json", "--store", no_store / "under" / "a.db")
    assert run.status == 3 and findings(run)["store"]["state"] == "fail", run


def test_nothing_is_left_behind(weir, private_home):
    assert weir("doctor", "--store", weir.folder / "weir.db").status in (0, 3)
    assert list(weir.folder.iterdir()) == []
    assert weir("doctor", "--store", weir.folder / "new" / "sub" / "weir.db").status in (0, 3)
    assert list(weir.folder.iterdir()) == []
    # An existing store stays what it was, and is not written to.
    support.run_program("weir", "baseline", "list", cwd=weir.folder)
    before = sorted((private_home / "state" / "weir").iterdir())
    assert weir("doctor").status in (0, 3)
    assert sorted((private_home / "state" / "weir").iterdir()) == before


@pytest.mark.parametrize("words", [("doctor", "now"), ("doctor", "--what")])
def test_wrong_words_are_wrong_usage(weir, words):
    run = weir(*words)
    assert run.status == 2 and "weir doctor" in run.stderr, run


def test_it_has_help(weir):
    assert "weir doctor" in weir("help").stdout
    assert weir("doctor", "--help").stdout == weir("help", "doctor").stdout
