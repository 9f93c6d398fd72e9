"""Never a mail too many: whatever is claimed, released, told and erased, in whatever order."""

from hypothesis import settings

from tests.fakes.event_log import MemoryEventLog
from tests.support.governor_machine import GovernorMachine


class MemoryMachine(GovernorMachine):
    def make(self):
        log = MemoryEventLog()
        return [(log, log.contacts)]


TestGovernor = MemoryMachine.TestCase
TestGovernor.settings = settings(max_examples=300, stateful_step_count=30)
