"""The order in which workers are replaced, with workers that are no processes."""

import os
import threading
from functools import partial

import pytest

from api.server.reload import Server


class Worker:
    """Notes in `events` what is done with it; alive until it is told to end, or for good."""

    def __init__(self, name: str, events: list[str], *, stubborn: bool = False) -> None:
        self.name, self.events = name, events
        self.alive, self.stubborn, self.told = True, stubborn, threading.Event()

    def terminate(self) -> None:
        self.events.append(f"{self.name} is told to end")
        self.told.set()
        self.alive = self.stubborn

    def kill(self) -> None:
        self.events.append(f"{self.name} is killed")
        self.alive = False

    def join(self, timeout: float | None = None) -> None:
        pass

    def is_alive(self) -> bool:
        return self.alive


class SlowWorker(Worker):
    """Listens only when whoever waits for nothing has had the time to end the old one."""

    def __init__(self, events: list[str], loader: partial, old: Worker) -> None:
        super().__init__("new", events)
        self.tells, self.old = os.dup(loader.args[-1].fileno()), old

    def start(self) -> None:
        threading.Thread(target=self.listen).start()

    def listen(self) -> None:
        self.old.told.wait(0.2)
        self.events.append("new listens")
        os.write(self.tells, b"!")
        os.close(self.tells)


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_worker_ends_once_the_next_listens(stubborn: bool) -> None:
    events: list[str] = []
    old = Worker("old", events, stubborn=stubborn)
    server = Server("unused:app", workers_kill_timeout=1)
    server.wrks = [old]
    server._spawn_worker = lambda number, target, loader: SlowWorker(events, loader, old)
    server._respawn_workers([0], print, print)
    assert events == ["new listens", "old is told to end", *["old is killed"] * stubborn]
    assert [worker.name for worker in server.wrks] == ["new"]
