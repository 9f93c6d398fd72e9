"""A process ends with the first of its threads that ends by an error."""

import subprocess
import sys

PROGRAM = """
import sys, threading
from recommender.cli.threads import end_process_with_threads
end_process_with_threads()
def work():
    {work}
thread = threading.Thread(target=work, daemon=True)
thread.start()
thread.join()
threading.Event().wait({wait})
print("went on")
"""


def run(work: str, wait: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(work=work, wait=wait)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)


def test_an_error_ends_the_process_and_is_shown():
    done = run("raise ZeroDivisionError('oops')", "None")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.rstrip().endswith("ZeroDivisionError: oops")


def test_it_ends_also_where_nothing_can_be_shown():
    assert run("sys.stderr.close(); raise ZeroDivisionError('oops')", "None").returncode == 1


def test_a_thread_that_is_done_or_leaves_ends_nothing():
    for work in ("pass", "raise SystemExit(3)"):
        done = run(work, "0")
        assert (done.returncode, done.stdout, done.stderr) == (0, "went on\n", "")
