"""Starts the service on servers of its own, lets people in, and has schemathesis ask it everything that it documents."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

CASES = os.environ.get("CASES", "3")
READY_WITHIN = 60.0
ENDS_WITHIN = 40.0
RUN_WITHIN = 1800.0
# Whoever asks everything at once is not kept from asking
RATES = [
    "UNKNOWN_CODES", "JOINS", "FAILED_LOGINS", "FAILED_LOGINS_BY_ADDRESS", "REGISTRATIONS", "REFRESHES", "CHAT",
    "UPLOADS", "REQUESTS", "REQUESTS_BY_ADDRESS",
]
# A JPEG of one pixel would do, but a party's own pictures are at hand
PICTURES = pathlib.Path("demo")


class Service:
    """The service, as a process with a folder of its own."""

    def __init__(self, binary: str, folder: str):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = {
            name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")
        }
        environment |= {"APP_ENV": "development", "PORT": str(self.port), "DATA_DIR": folder, "LOG_LEVEL": "warn"}
        environment |= {f"RATE_{rate}": "1000000/s" for rate in RATES}
        self.log = open(os.path.join(folder, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen([binary], env=environment, stdout=self.log, stderr=self.log)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def wait(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url("/health/ready"), timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"the service is not ready:\n{self.told()}")

    def ask(self, path: str, body: object, token: str | None = None) -> dict:
        request = urllib.request.Request(self.url(f"/api/v1{path}"), json.dumps(body).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["data"]

    def told(self) -> str:
        self.log.flush()
        self.log.seek(0)
        return self.log.read()[-20000:]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(ENDS_WITHIN)


def callers(service: Service) -> dict[str, str | None]:
    """Nobody, a user who hosts a party that goes on, and a guest of it, with their tokens."""
    host = service.ask("/auth/register", {
        "email": "ada@example.org", "password": "a horse on the roof", "username": "ada_l", "firstName": "Ada",
        "lastName": "Lovelace",
    })
    party = service.ask(
        "/parties", {"title": "Summer night", "startsAt": "2126-05-01T20:00:00Z", "isPrivate": True}, host["accessToken"]
    )["party"]
    service.ask(f"/parties/{party['id']}/start", {}, host["accessToken"])
    guest = service.ask("/parties/join-by-code", {"accessCode": party["accessCode"], "displayName": "Grace"})
    return {"nobody": None, "user": host["accessToken"], "guest": guest["accessToken"]}


def conform(service: Service, name: str, token: str | None, folder: str) -> int:
    """Runs schemathesis as that caller and gives the number of cases that it tried."""
    command = [
        os.path.join(os.path.dirname(sys.executable), "st"), "run", service.url("/openapi.json"), "--checks", "all",
        # A cursor that is none of ours, a word with a control character, a key that was used before: what a schema has no
        # words for is refused with 400 or 422, as the document says
        "--exclude-checks", "positive_data_acceptance",
        "--max-examples", CASES, "--continue-on-failure", "--request-timeout", "15", "--no-color",
        "--report", "ndjson", "--report-dir", os.path.join(folder, name),
    ]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    print(f"== as {name}", flush=True)
    run = subprocess.run(
        command, timeout=RUN_WITHIN, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=os.path.dirname(os.path.abspath(__file__)),
    )
    print(run.stdout, flush=True)
    if run.returncode:
        raise SystemExit(f"as {name} the service does not do what it says")
    cases = re.search(r"(\d[\d,]*) generated", run.stdout)
    return int(cases.group(1).replace(",", "")) if cases else 0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # As root the private servers run as somebody else, who has to get there
        os.chmod(folder, 0o711)
        os.mkdir(os.path.join(folder, "data"))
        service = Service(os.path.abspath(sys.argv[1]), os.path.join(folder, "data"))
        try:
            service.wait()
            cases = sum(conform(service, name, token, folder) for name, token in callers(service).items())
        finally:
            code = service.end()
        print(service.told())
    print(f"{cases} cases")
    if code or not cases:
        raise SystemExit(f"the service ended with {code} after {cases} cases")


main()
