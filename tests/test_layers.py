#!/usr/bin/python3
"""The floors of the house: every #include "folder/file.h" points to a lower floor, or into the same folder.

Neighbours on one floor never include each other. A folder that stands on no floor is a breach, so that a new one has
to be put in the picture. demo/ stands on the libraries as weir does; tests/ and bench/ may include anything.

Run as a program (meson does) or by pytest.
"""

import pathlib
import re
import sys
import tempfile

FLOORS = [
    {"base"},
    {"stats"},
    {"net", "record"},
    {"scenarios", "store", "observe"},
    {"loadgen", "canary"},
    {"reports"},
    {"web"},
    {"cli", "demo"},
    {"tests", "bench"},
]
FLOOR = {folder: number for number, folders in enumerate(FLOORS) for folder in folders}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def breach(folder, included):
    """What is wrong with a file in <folder> that includes "<included>"; None: nothing."""
    target = included.split("/")[0]
    if "/" not in included:
        return 'is not written from the root, as "folder/file.h"'
    if ".." in included.split("/"):
        return 'climbs with ".."; write it from the root'
    if target not in FLOOR:
        return f"is in {target}/, which stands on no floor"
    if target == folder or FLOOR[target] < FLOOR[folder]:
        return None
    if FLOOR[target] == FLOOR[folder]:
        return f"is in {target}/, a neighbour of {folder}/; what must know both is wired in cli/"
    return f"is in {target}/, above {folder}/"


def source_files(root):
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        # Build folders and hidden folders hold no text of ours.
        if folder.name.startswith((".", "build")):
            continue
        for path in sorted(folder.rglob("*.[ch]")):
            if "node_modules" not in path.parts:
                yield folder.name, path


def breaches(root):
    """(number of includes read, [what is wrong])"""
    seen, found = 0, []
    for folder, path in source_files(root):
        if folder not in FLOOR:
            found.append(f"{path.relative_to(root)}: {folder}/ stands on no floor; see FLOORS in tests/test_layers.py")
            continue
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            seen += 1
            wrong = breach(folder, match.group(1))
            if wrong:
                line = text.count("\n", 0, match.start()) + 1
                found.append(f'{path.relative_to(root)}:{line}: "{match.group(1)}" {wrong}')
    return seen, found


def test_layers():
    seen, found = breaches(pathlib.Path(__file__).resolve().parent.parent)
    assert seen > 50, "hardly any #include was found: is this the right folder?"
    assert not found, "\n" + "\n".join(found)


def test_breaches_are_found():
    """The same on a made-up tree in which everything is wrong once."""
    cases = {
        "base/a.c": ("stats/hist.h", "above base/"),
        "net/b.h": ("record/run.h", "neighbour"),
        "loadgen/c.c": ("canary/machine.h", "neighbour"),
        "canary/sub/d.c": ("cli/main.h", "above canary/"),
        "stats/e.c": ("hist.h", "from the root"),
        "store/f.c": ("store/../net/loop.h", "climbs"),
        "cli/g.c": ("junk/x.h", "no floor"),
        "junk/h.c": ("base/str.h", "no floor"),
    }
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, (included, _) in cases.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(f'#include <stdio.h>\n#include "{included}"\n')
        (root / "tests").mkdir()
        (root / "tests" / "fine.c").write_text('#include "cli/main.h"\n#include "base/str.h"\n')
        _, found = breaches(root)
    assert len(found) == len(cases), found
    for path, (_, wanted) in cases.items():
        assert any(line.startswith(path) and wanted in line for line in found), (path, found)


if __name__ == "__main__":
    for test in (test_breaches_are_found, test_layers):
        try:
            test()
        except AssertionError as problem:
            sys.exit(f"{test.__name__}: {problem}")
    print("every #include points downwards")
