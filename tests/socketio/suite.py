"""Starts a pod, lets both clients at it, and stops it."""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(base, pod):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if pod.poll() is not None:
            raise SystemExit("socketio: the pod ended")
        try:
            urllib.request.urlopen(base + "/health/ready", timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("socketio: the pod is not ready")


def main(binary, script):
    base, here = f"http://127.0.0.1:{free_port()}", pathlib.Path(__file__).parent
    with tempfile.TemporaryDirectory() as data:
        # As root, PostgreSQL runs as somebody else, who has to get in
        os.chmod(data, 0o755)
        environment = dict(os.environ, PORT=base.rsplit(":", 1)[1], DATA_DIR=data, LOG_LEVEL="error")
        pod = subprocess.Popen([binary, "serve"], env=environment, stdout=subprocess.DEVNULL)
        try:
            wait_until_ready(base, pod)
            subprocess.run(["node", script, base], check=True, timeout=120)
            subprocess.run([sys.executable, here / "client.py", base], check=True, timeout=120)
        finally:
            pod.terminate()
            pod.wait(30)


main(*sys.argv[1:])
