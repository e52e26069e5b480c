"""Counts how the cases of a report ended; fails when one has failed, or none was tried."""

from __future__ import print_function

import collections
import json
import sys

GOOD = ("OK", "NON-STRICT", "INFORMATIONAL")

with open(sys.argv[1]) as report:
    cases = [case for agent in json.load(report).values() for case in agent.items()]
for what in ("behavior", "behaviorClose"):
    print(what, dict(collections.Counter(case[what] for _, case in cases)))
bad = [case for case in cases if not (case[1]["behavior"] in GOOD and case[1]["behaviorClose"] in GOOD)]
for name, case in sorted(bad):
    print(name, case["behavior"], case["behaviorClose"])
strict = sum(case["behavior"] != "NON-STRICT" for _, case in cases)
print(len(cases), "cases,", strict, "of them strict,", len(bad), "failed")
sys.exit(1 if bad or not cases else 0)
