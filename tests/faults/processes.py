"""Processes that do a piece of work on a connection of their own, and can be killed or paused at any line.

A line is where the database is met: before each statement, before and after each commit. What lies
between two of them touches nothing that outlives the process, so stopping at each of them covers all.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
import traceback
from collections.abc import Callable
from typing import Any

from django.db import connection, connections

PATIENCE = 30.0


def at_line(number: int, act: Callable[[], None]) -> None:
    """Have this process call ``act`` when it comes to a line, counted from 1."""
    lines = 0

    def line():
        nonlocal lines
        lines += 1
        if lines == number:
            act()

    def statement(execute, sql, params, many, context):
        line()
        return execute(sql, params, many, context)

    connection.execute_wrappers.append(statement)
    commit = connection.commit

    def committing():
        line()
        commit()
        line()

    connection.commit = committing


def die() -> None:
    """Kill this process in the way that nothing can catch."""
    os.kill(os.getpid(), signal.SIGKILL)


def pause() -> None:
    """Stop this process until somebody continues it."""
    os.kill(os.getpid(), signal.SIGSTOP)


class Process:
    """A child of the test's process that runs one function.

    Args:
        work: what it does; the result must be picklable.
        before: called in the child before the work, such as ``lambda: at_line(3, die)``.
    """

    def __init__(self, work: Callable[[], Any], *, before: Callable[[], None] | None = None):
        # A connection that two processes share would be closed under the other one's feet.
        connections["default"].close()
        self._answer, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _live(work, before, writing)
        os.close(writing)
        self.status: int | None = None
        self._result = b""

    def wait_until_paused(self, timeout: float = PATIENCE) -> bool:
        """Return True once the process has paused itself, False if it ended instead."""
        return self._poll(timeout, os.WUNTRACED, lambda status: os.WIFSTOPPED(status))

    def wait(self, timeout: float = PATIENCE) -> bool:
        """Wait until the process has ended; return whether it ended by itself (False: it was killed).

        Raises:
            AssertionError: its work raised, or did not end in time.
        """
        self._poll(timeout, 0, lambda status: False)
        if os.WIFSIGNALED(self.status):
            return False
        if os.WEXITSTATUS(self.status):
            raise AssertionError(f"the process failed:\n{self._read()}")
        return True

    def result(self, timeout: float = PATIENCE) -> Any:
        """Wait for the process and return what its work returned."""
        assert self.wait(timeout), "the process was killed"
        return self._read()

    def has_ended(self, within: float) -> bool:
        """Say whether the process ends within so many seconds."""
        ends = time.monotonic() + within
        while self.status is None and time.monotonic() < ends:
            self._look(0)
            time.sleep(0.005)
        return self.status is not None

    def resume(self) -> None:
        """Continue a paused process."""
        os.kill(self.pid, signal.SIGCONT)

    def kill_now(self) -> None:
        """Kill the process, if it has not ended, and wait until it has."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._poll(PATIENCE, 0, lambda status: False)

    def dispose(self) -> None:
        """Kill the process, if it has not ended, and forget it."""
        self.kill_now()
        os.close(self._answer)

    def _look(self, options: int) -> int | None:
        """Return the status that the system has to tell, and keep it if it is the end."""
        pid, status = os.waitpid(self.pid, options | os.WNOHANG)
        if not pid:
            self._drain()
            return None
        if not os.WIFSTOPPED(status):
            self.status = status
        return status

    def _poll(self, timeout: float, options: int, enough: Callable[[int], bool]) -> bool:
        ends = time.monotonic() + timeout
        while self.status is None:
            status = self._look(options)
            if status is not None and enough(status):
                return True
            if time.monotonic() > ends:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                self.status = signal.SIGKILL
                raise AssertionError(f"the process did not end within {timeout} seconds")
            time.sleep(0.003)
        return False

    def _drain(self) -> None:
        while select.select([self._answer], [], [], 0)[0]:
            chunk = os.read(self._answer, 65536)
            if not chunk:
                return
            self._result += chunk

    def _read(self) -> Any:
        self._drain()
        return pickle.loads(self._result)  # noqa: S301


def _live(work: Callable[[], Any], before: Callable[[], None] | None, writing: int) -> None:
    """Be the child: never returns."""
    code = 1
    try:
        signal.alarm(120)  # a child outlives no test run
        connections["default"] = connections.create_connection("default")
        connection.ensure_connection()
        if before is not None:
            before()
        try:
            answer = pickle.dumps(work())
            code = 0
        except BaseException:  # noqa: BLE001 told to the parent
            answer = pickle.dumps(traceback.format_exc())
        while answer:
            answer = answer[os.write(writing, answer) :]
    finally:
        os._exit(code)


class Gate:
    """Where processes wait until all of them are released together."""

    def __init__(self):
        self._waiting, self._enter = os.pipe()
        self._go, self._opener = os.pipe()

    def pass_through(self) -> None:
        """Wait in a child until the parent opens."""
        os.write(self._enter, b".")
        assert select.select([self._go], [], [], PATIENCE)[0], "the gate was never opened"

    def open(self, waiting: int) -> None:
        """Release the processes in the parent, once so many are waiting."""
        seen = 0
        while seen < waiting:
            assert select.select([self._waiting], [], [], PATIENCE)[0], "a process never came to the gate"
            seen += len(os.read(self._waiting, waiting - seen))
        # One byte that nobody reads keeps it open for all of them.
        os.write(self._opener, b".")

    def close(self) -> None:
        """Give the pipes back."""
        for end in (self._waiting, self._enter, self._go, self._opener):
            os.close(end)
