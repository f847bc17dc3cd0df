"""Changing bytes at random, and knowing which changes led somewhere new."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Mutator:
    """Changes bytes, one to four times each; ``words`` are what the format is made of."""

    def __init__(self, rng: random.Random, words: Sequence[bytes]) -> None:
        self._rng = rng
        self._words = words
        self._changes: tuple[Callable[[bytearray], None], ...] = (
            self._turn_a_bit, self._insert_word, self._replace_by_word, self._cut, self._repeat, self._random_bytes,
        )  # fmt: skip

    def change(self, data: bytes) -> bytes:
        """Something like ``data``."""
        changed = bytearray(data)
        for _ in range(self._rng.randint(1, 4)):
            self._rng.choice(self._changes)(changed)
        return bytes(changed)

    def _place(self, data: bytearray) -> int:
        return self._rng.randint(0, len(data))

    def _stretch(self, data: bytearray) -> slice:
        start = self._place(data)
        return slice(start, min(len(data), start + self._rng.choice((1, 2, 4, 16, 64))))

    def _turn_a_bit(self, data: bytearray) -> None:
        if data:
            data[self._rng.randrange(len(data))] ^= 1 << self._rng.randrange(8)

    def _insert_word(self, data: bytearray) -> None:
        place = self._place(data)
        data[place:place] = self._rng.choice(self._words)

    def _replace_by_word(self, data: bytearray) -> None:
        data[self._stretch(data)] = self._rng.choice(self._words)

    def _cut(self, data: bytearray) -> None:
        del data[self._stretch(data)]

    def _repeat(self, data: bytearray) -> None:
        stretch = data[self._stretch(data)]
        place = self._place(data)
        data[place:place] = stretch * self._rng.choice((1, 2, 40, 1_000))

    def _random_bytes(self, data: bytearray) -> None:
        place = self._place(data)
        data[place:place] = self._rng.randbytes(self._rng.choice((1, 4, 32)))


class Coverage:
    """The lines that have been run in some modules, by the interpreter's trace hook."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = tuple(folders)
        self._seen: set[tuple[str, int]] = set()
        self._fresh = False

    @property
    def lines(self) -> int:
        """How many there are."""
        return len(self._seen)

    @contextmanager
    def watching(self) -> Iterator[Callable[[], bool]]:
        """Watch while the block runs; what is yielded tells whether a line was run for the first time."""
        self._fresh = False
        sys.settrace(self._call)
        try:
            yield lambda: self._fresh
        finally:
            sys.settrace(None)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Callable[[FrameType, str, Any], Any] | None:
        return self._line if frame.f_code.co_filename.startswith(self._folders) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Callable[[FrameType, str, Any], Any]:
        line = frame.f_code.co_filename, frame.f_lineno
        if line not in self._seen:
            self._seen.add(line)
            self._fresh = True
        return self._line
