"""An .hlog read without any of weir's code: lines, base64, zlib, ZigZag LEB128-64b9B, and the arithmetic of HdrHistogram.

Written from /HdrHistogram's Java sources (HistogramLogReader, AbstractHistogram.decodeFromCompressedByteBuffer), to be a
second opinion on stats/hist_codec.c.
"""

import base64
import math
import struct
import zlib

COMPRESSED = 0x1C849304  # V2, with the word size in the low nibble's place
ENCODED = 0x1C849303


class Histogram:
    def __init__(self, lowest, highest, digits):
        self.unit = max(0, int(math.floor(math.log2(lowest))))
        sub = 1
        while sub < 2 * 10**digits:
            sub *= 2
        self.sub, self.half = sub, sub // 2
        self.highest = highest
        self.counts = {}  # index: count

    def _range(self, index):
        """Lowest value and width of a count."""
        bucket = index // self.half - 1
        within = index % self.half + self.half
        if bucket < 0:
            bucket, within = 0, within - self.half
        return within << (bucket + self.unit), 1 << (bucket + self.unit)

    def to(self, index):
        low, width = self._range(index)
        return low + width - 1

    @property
    def total(self):
        return sum(self.counts.values())

    def add(self, other):
        for index, n in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + n

    def quantile(self, q):
        """Java: the value of rank max(1, ceil(nextDown(q n)))."""
        rank = max(1, math.ceil(math.nextafter(q, 0) * self.total)) if self.total else 0
        seen = 0
        for index in sorted(self.counts):
            seen += self.counts[index]
            if seen >= rank:
                return self.to(index)
        return 0


def _numbers(data):
    at = 0
    while at < len(data):
        value = shift = 0
        for i in range(9):
            byte = data[at]
            at += 1
            if i == 8:
                value |= byte << 56
                break
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        yield (value >> 1) ^ -(value & 1)


def decode(text):
    frame = base64.b64decode(text, validate=True)
    cookie, length = struct.unpack(">ii", frame[:8])
    assert cookie & ~0xF0 == COMPRESSED & ~0xF0, hex(cookie)
    assert length == len(frame) - 8
    inner = zlib.decompress(frame[8:])
    cookie, payload, _, digits, lowest, highest, _ = struct.unpack(">iiiiqqd", inner[:40])
    assert cookie & ~0xF0 == ENCODED & ~0xF0, hex(cookie)
    assert payload == len(inner) - 40
    h = Histogram(lowest, highest, digits)
    index = 0
    for n in _numbers(inner[40:]):
        if n < 0:
            index += -n
        else:
            if n:
                h.counts[index] = n
            index += 1
    return h


class Interval:
    def __init__(self, tag, start, length, most, histogram):
        self.tag, self.start, self.length, self.max_ms, self.histogram = tag, start, length, most, histogram


def read(text):
    """(comment lines, [Interval]). Follows the strictest reader: after the legend no comments."""
    comments, intervals, legend = [], [], False
    for line in text.split("\n"):
        if not line:
            continue
        if line.startswith("#"):
            assert not legend, "the C reader takes no comment after the legend"
            assert len(line) <= 126, "the C reader's buffer is 128 bytes"
            comments.append(line)
        elif line.startswith('"'):
            legend = True
        else:
            assert legend
            tag = None
            if line.startswith("Tag="):
                tag, line = line[4:].split(",", 1)
            start, length, most, data = line.split(",")
            intervals.append(Interval(tag, float(start), float(length), float(most), decode(data)))
    return comments, intervals
