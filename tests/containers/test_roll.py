"""All replicas replaced, one at a time, while a party goes on."""

import json
import time

from engine import ROOT, inspect, peak_memory, run
from load import Load
from staging import StagingCase

LIMIT = 512 * 1024 * 1024


class Roll(StagingCase):
    NAME = "roll"

    def test_a_roll_fails_no_request_loses_no_upload_and_leaves_no_gap(self):
        staging = self.staging
        before = staging.replicas()
        options = [*staging.project.options]
        with Load(staging.base) as load:
            time.sleep(5)
            began = time.monotonic()
            said = run(ROOT / "scripts/roll", *options, cwd=staging.directory, env=staging.project.env, within=300)
            took = time.monotonic() - began
            time.sleep(3)
            load.within(load.stop())
            seq = load.within(load.settled())
            after = staging.replicas()
            peaks = [peak_memory(container) for container in after]
            report = {
                "rolled": round(took, 1),
                "tally": dict(load.tally),
                "seq": seq,
                "came back": sum(len(screen.closes) for screen in load.screens),
                "peaks": peaks,
            }
            print(f"\n{said.strip()}\n{json.dumps(report)}")
            self.assertEqual(load.failures, [])
            self.assertEqual(load.faults(), [])
            self.assertEqual(load.within(load.lost()), set())
            self.assertEqual(len(after), len(before))
            self.assertFalse(set(after) & set(before), "every replica is a new one")
            self.assertGreaterEqual(load.tally["uploads"], 20)
            self.assertGreaterEqual(load.tally["reads"] + load.tally["messages"], 40 * took)
            self.assertGreaterEqual(sum(screen.kinds.get("drained", 0) for screen in load.screens), 100)
            for peak, container in zip(peaks, after):
                self.assertEqual(inspect(container, "{{.HostConfig.Memory}} {{.State.OOMKilled}}"), f"{LIMIT} false")
                self.assertLess(peak or 0, LIMIT)
