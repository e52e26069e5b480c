"""What staging is made of, killed in turn by the host, while a party goes on."""

import os
import signal
import time

from engine import eventually, inspect
from load import Load
from staging import StagingCase


class Failures(StagingCase):
    NAME = "failures"

    def kill(self, container):
        """Ends a container's first process as the kernel would."""
        os.kill(int(inspect(container, "{{.State.Pid}}")), signal.SIGKILL)

    def test_each_part_comes_back_and_nothing_acknowledged_is_lost(self):
        staging = self.staging
        with Load(staging.base) as load:
            time.sleep(5)
            for service in ("db", "redis", "api", "nginx"):
                with self.subTest(service):
                    container = staging.project.containers(service)[0]
                    starts = int(inspect(container, "{{.RestartCount}}"))
                    killed = time.monotonic()
                    self.kill(container)
                    eventually(60, f"{service} was restarted", lambda: self.restarted(container, starts))
                    eventually(60, "ready", staging.is_ready)
                    messages, media = len(load.messages), len(load.media)
                    eventually(30, "messages and photos go in", lambda: self.goes_on(load, messages, media))
                    print(f"\n{service}: well again after {time.monotonic() - killed:.1f} s", flush=True)
            load.within(load.stop())
            seq = load.within(load.settled())
            print(f"{dict(load.tally)}, {seq} events")
            self.assertEqual(load.faults(), [])
            self.assertEqual(load.within(load.lost()), set())
            self.assertEqual([screen.seq for screen in load.screens if screen.seq != seq], [])

    def restarted(self, container, starts):
        return inspect(container, "{{.RestartCount}} {{.State.Running}}") == f"{starts + 1} true"

    def goes_on(self, load, messages, media):
        return len(load.messages) > messages + 5 and len(load.media) > media
