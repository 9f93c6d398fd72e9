"""Background queue: small jobs that no answer waits for, done by a thread of this process."""

import os
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Job = TypeVar("_Job")


class Background(Generic[_Job]):
    """A queue of jobs and the thread that does them. Safe to share between threads.

    Args:
        name: of the thread.
        work: does waiting jobs, in the order they came; it raises nothing.
        most_waiting: most jobs that may wait.
        at_once: most jobs in one call of `work`.
    """

    def __init__(self, name: str, work: Callable[[list[_Job]], None], most_waiting: int, at_once: int = 1) -> None:
        self._name = name
        self._work = work
        self._at_once = at_once
        self._waiting: queue.Queue[_Job] = queue.Queue(most_waiting)
        self._done_by: int | None = None
        self._starting = threading.Lock()

    def put(self, job: _Job) -> bool:
        """Queue a job; False where too many wait, and it will not be done."""
        self._start()
        try:
            self._waiting.put_nowait(job)
        except queue.Full:
            return False
        return True

    def flush(self) -> None:
        """Wait until all queued jobs are done."""
        self._waiting.join()

    def _start(self) -> None:
        """Start the thread of this process: one does not survive a fork."""
        if self._done_by == os.getpid():
            return
        with self._starting:
            if self._done_by != os.getpid():
                threading.Thread(target=self._work_on, daemon=True, name=self._name).start()
                self._done_by = os.getpid()

    def _work_on(self) -> None:
        try:
            while True:
                self._work_once()
        finally:
            self._done_by = None  # `work` has a bug: the next job starts another thread, where the process is alive

    def _work_once(self) -> None:
        jobs = [self._waiting.get()]
        while len(jobs) < self._at_once and not self._waiting.empty():
            jobs.append(self._waiting.get())
        try:
            self._work(jobs)
        finally:
            for _ in jobs:
                self._waiting.task_done()
