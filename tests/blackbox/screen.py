"""A small terminal: enough of one to know what a program has drawn on it, whether a line was too long, and whether it was
left as it was found. Takes the sequences that weir writes and fails on any other."""

import codecs
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

SEQUENCE = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])")


class Screen:
    def __init__(self, columns, rows):
        self.alternate = False  # is the alternate screen shown?
        self.ever_alternate = False
        self.cursor_shown = self.wrap = True
        self.too_long = []  # lines that went past the right edge while wrap was off
        self.frames = 0
        self.plain = ""  # what was written to the normal screen
        self.resize(columns, rows)

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines = [""] * rows
        self.row = self.column = 0

    def text(self):
        return "\n".join(self.lines)

    def feed(self, text):
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                found = SEQUENCE.match(text, at)
                if not found:
                    return text[at:]  # not whole yet
                self._sequence(*found.groups())
                at = found.end()
                continue
            self._char(text[at])
            at += 1
        return ""

    def _char(self, c):
        if not self.alternate:
            self.plain += c
        elif c == "\r":
            self.column = 0
        elif c == "\n":
            self.row = min(self.row + 1, self.rows - 1)
        else:
            assert c >= " ", repr(c)
            if self.column >= self.columns:
                self.too_long.append(self.lines[self.row] + c)
                return
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + c + line[self.column + 1 :]
            self.column += 1

    def _sequence(self, private, numbers, what):
        if private:
            on = what == "h"
            assert what in "hl"
            if numbers == "1049":
                self.alternate = on
                self.ever_alternate |= on
                self.lines = [""] * self.rows
            elif numbers == "25":
                self.cursor_shown = on
            elif numbers == "7":
                self.wrap = on
            else:
                raise AssertionError(f"unknown mode {numbers}")
        elif what == "H":
            assert not numbers
            self.row = self.column = 0
            self.frames += 1
        elif what == "K":
            assert numbers == "2"
            self.lines[self.row] = ""
        elif what == "J":
            if numbers == "2":
                self.lines = [""] * self.rows
            else:
                self.lines[self.row] = self.lines[self.row][: self.column]
                for row in range(self.row + 1, self.rows):
                    self.lines[row] = ""
        else:
            assert what == "m", (private, numbers, what)


class OnTerminal:
    """A program whose stderr (and stdin) is a terminal of a given size; stdout goes to a file."""

    def __init__(self, command, columns, rows, folder, env=None):
        self.screen = Screen(columns, rows)
        self.lock = threading.Lock()
        self.master, slave = pty.openpty()
        self._size(columns, rows)
        self.stdout_path = folder / "terminal-stdout"
        with open(self.stdout_path, "wb") as out:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=slave,
                stdout=out,
                stderr=slave,
                cwd=folder,
                env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(env or {})},
                start_new_session=True,
            )
        os.close(slave)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        with self.lock:
            self._size(columns, rows)
            self.screen.resize(columns, rows)
            # What is on its way was drawn for the old size.
            self.frames_before = self.screen.frames

    def _read(self):
        decoder = codecs.getincrementaldecoder("utf-8")()
        rest = ""
        self.problem = None
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            with self.lock:
                try:
                    rest = self.screen.feed(rest + decoder.decode(data))
                except AssertionError as problem:
                    self.problem = problem

    def finish(self, deadline_s):
        status = self.process.wait(deadline_s)
        self._thread.join(deadline_s)
        os.close(self.master)
        if self.problem:
            raise self.problem
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
