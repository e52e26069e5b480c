"""Starts two pods behind nginx, lets the clients at them, and says what was tried."""

import pathlib
import subprocess
import sys

from ground import Ground


def in_all_ways(*trials):
    return [f"{way}: {trial}" for way in ("polling", "websocket", "upgrade") for trial in trials]


TALK = in_all_ways("talks", "hears 500 in a burst", "comes back after a drain")
AFTER = ("a cut", "a pod's death", "a way to another pod", "a cut before the first event")
# What each script has to have tried at the end, so that nothing is left out in silence
SCRIPTS = {
    "client.js": TALK,
    "client.py": TALK,
    "recovery.js": in_all_ways(*(f"recovers after {what}" for what in AFTER)),
    "roll.js": [trial for front in ("address", "cookie") for trial in in_all_ways(f"is rolled over behind nginx by {front}")],
}
# Needs a browser, and is tried only when it is named
BY_NAME = {"page.js": in_all_ways("hears a burst in Chromium", "is recovered after a drain in Chromium")}
DEADLINE = 180


def run(command, expected):
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as script:
        try:
            said, _ = script.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            script.kill()
            said, _ = script.communicate()
    tried = said.splitlines()
    name = pathlib.Path(command[1]).name
    for trial in tried:
        print(f"socketio: {name}: {trial}", flush=True)
    if script.returncode != 0 or tried != expected:
        missing = [trial for trial in expected if trial not in tried]
        raise SystemExit(f"socketio: {name} ended with {script.returncode}; not tried: {missing}")
    return len(tried)


def main(binary, made, *names):
    here, trials = pathlib.Path(__file__).parent, 0
    known = {**SCRIPTS, **BY_NAME}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"socketio: {unknown} are none of {list(known)}")
    with Ground(binary) as ground:
        for name in names or SCRIPTS:
            program = ["node", f"{made}/{name}"] if name.endswith(".js") else [sys.executable, here / name]
            trials += run([*program, ground.directory, *ground.addresses], known[name])
    left_out = [name for name in known if name not in (names or SCRIPTS)]
    print(f"socketio: {trials} trials; left out: {left_out}")


main(*sys.argv[1:])
