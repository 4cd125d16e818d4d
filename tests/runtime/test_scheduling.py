"""Short turns at the processor: granted where the kernel knows them, harmless where it does not."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os
from runtime.scheduling import take_short_turns, turn_length_us
os.nice(3)
os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
before = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)
granted = take_short_turns()
after = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)
assert after == before, "only the turns' length changes"
print(granted, turn_length_us())
if granted:
    import subprocess, sys
    child = "from runtime.scheduling import turn_length_us; print(turn_length_us())"
    print(subprocess.check_output([sys.executable, "-c", child], text=True).strip())
"""


def test_a_daemon_gets_short_turns_or_goes_on_as_before() -> None:
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    ).stdout.split()
    if said[0] == "True":
        assert said[1:] == ["100", "100"], "who is started takes it over"
    else:
        assert said[0] == "False"
        assert int(said[1]) != 100
