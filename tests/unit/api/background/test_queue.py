"""The background queue goes on after a bug in its work."""

import threading

from api.background.queue import Background
from tests.support.redis_servers import wait_until


def test_another_thread_does_the_next_job_where_one_ended(monkeypatch):
    ended, done = [], []
    monkeypatch.setattr(threading, "excepthook", ended.append)

    def work(jobs: list[str]) -> None:
        if jobs == ["bug"]:
            raise ZeroDivisionError
        done.extend(jobs)

    background = Background("test", work, most_waiting=10)
    assert background.put("bug")
    background.flush()
    wait_until(lambda: len(ended) == 1, "the thread has ended")
    assert background.put("next")
    background.flush()
    assert done == ["next"]
