"""Finished trials of an interrupted measurement, one line each, until the table is whole.

Every line is sealed (``support.sealed``) for its measurement and its place in the file. So a changed
byte, a line of another log, and a line twice, missing or out of its order all show.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from dynparam.support.errors import DataError
from dynparam.support.files import naming_write_errors
from dynparam.support.locks import held
from dynparam.support.regular_files import opened, refusal
from dynparam.support.sealed import seal, unseal

Key = TypeVar("Key")

Result = TypeVar("Result")

MAX_LINE_BYTES = 2**28
"""The longest line that is read; one of 10^5 steps of six layers takes a quarter of it."""

BEGINNING = seal(0, "")[:12].encode()
"""What every line begins with, and so one that a kill cut short."""

ANEW = "delete the file to measure its trials anew"


class TrialLog:
    """The log of one measurement: where it lies, and what its lines are sealed for.

    Attributes:
        path: the file, apart from any declared output.
    """

    def __init__(self, output: Path, name: str, *identity: str) -> None:
        """The log of the trials for ``output``, named ``name``.

        ``identity`` is all that the trials depend on, code included, so that trials of another
        configuration are never taken up.
        """
        key = hashlib.sha256("-".join(identity).encode()).hexdigest()
        self._of = f"{name}-{key}"
        self.path = output.parent / ".unfinished" / f"{name}-{key[:16]}.jsonl"
        self._lines = 0
        self._end = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process from this log for the block; waits for one that has it, and says so.

        Raises ``DynparamError`` if no file can be made beside the log.
        """
        with held(self.path, "another process measures these trials; waiting for it to end"):
            yield

    def read(self, parse: Callable[[Any], tuple[Key, Result]]) -> dict[Key, Result]:
        """The finished trials, each line's content made a key and a result by ``parse``.

        A last line cut short by a kill is removed from the file. ``parse`` raises ``ValueError`` or
        ``TypeError`` for what is no trial of this measurement. Raises ``DataError`` for that, for any
        other damage, a trial twice, and what is no regular file.
        """
        self._lines, self._end = 0, 0
        done: dict[Key, Result] = {}
        reason = refusal(self.path)
        if reason is not None:
            raise DataError(f"{self.path}: {reason}; {ANEW}")
        try:
            with opened(self.path) as file:
                while line := file.readline(MAX_LINE_BYTES):
                    if _is_cut(line) and not file.read(1):
                        break
                    key, result = self._trial(line, parse)
                    if key in done:
                        raise self._damage("its trial is in the file twice")
                    done[key] = result
                    self._lines += 1
                    self._end += len(line)
                size = os.fstat(file.fileno()).st_size
        except FileNotFoundError:
            return done
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read ({error.strerror}); {ANEW}") from None
        if size > self._end:
            with naming_write_errors(self.path):
                os.truncate(self.path, self._end)
        return done

    def append(self, entries: Iterable[object]) -> None:
        """Add one line an entry, after ``read``. What cannot be written whole is not written at all.

        Raises ``DynparamError`` if the file cannot be written.
        """
        lines = [
            seal(entry, self._place(number)).encode() + b"\n"
            for number, entry in enumerate(entries, start=self._lines + 1)
        ]
        with naming_write_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab", buffering=0) as file:
                left = b"".join(lines)
                try:
                    while left:
                        left = left[file.write(left) :]
                except BaseException:
                    # A full disk leaves the beginning of a line, which the next one would follow.
                    file.truncate(self._end)
                    raise
        self._lines += len(lines)
        self._end += sum(map(len, lines))

    def _trial(self, line: bytes, parse: Callable[[Any], tuple[Key, Result]]) -> tuple[Key, Result]:
        try:
            return parse(unseal(line.removesuffix(b"\n").decode(), self._place(self._lines + 1)))
        except UnicodeDecodeError:
            raise self._damage("it is not text") from None
        except (TypeError, ValueError) as error:
            raise self._damage(str(error)) from None

    def _place(self, number: int) -> str:
        return f"{self._of}, line {number}"

    def _damage(self, reason: str) -> DataError:
        return DataError(f"{self.path}: line {self._lines + 1} is damaged ({reason}); {ANEW}")


def _is_cut(line: bytes) -> bool:
    """Whether this may be the beginning of a line of a log, and lacks the end."""
    return not line.endswith(b"\n") and (line.startswith(BEGINNING) or BEGINNING.startswith(line))
