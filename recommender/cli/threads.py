"""Background threads: a process in which one ended by an error looks alive and is not, so it ends, too."""

import os
import sys
import threading
from contextlib import suppress


def end_process_with_threads() -> None:
    """Have this process end with exit code 1 as soon as one of its threads ends by an exception, which is shown.

    Whoever supervises it starts another one. Nothing is cleaned up, as after a kill.
    """
    threading.excepthook = _end


def _end(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_type is SystemExit:
        return
    with suppress(Exception):
        threading.__excepthook__(arguments)
        sys.stderr.flush()
    os._exit(1)
