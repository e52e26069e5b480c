"""Starts the service on servers of its own, lets people in, and has schemathesis ask it everything that it documents."""

import concurrent.futures
import dataclasses
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
import urllib.error
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
# Another one than the document has as its example, or a case would change it
PASSWORD = "a cow under the table"
PHOTO = pathlib.Path("demo/cat.jpg")
HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Caller:
    """Somebody who asks, and what is there for them."""

    name: str
    token: str | None
    ids: list[str]
    codes: list[str]


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
        return self.sent("POST", path, json.dumps(body).encode(), "application/json", token)

    def bring(self, path: str, photo: bytes, token: str) -> dict:
        head = b'--limit\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n\r\n'
        form = head + photo + b"\r\n--limit--\r\n"
        media = self.sent("POST", path, form, "multipart/form-data; boundary=limit", token)["media"]
        deadline = time.monotonic() + READY_WITHIN
        while media["status"] != "READY":
            if time.monotonic() > deadline:
                raise SystemExit(f"a photo is {media['status']} and not READY")
            time.sleep(0.1)
            media = self.sent("GET", f"/media/{media['id']}", None, None, token)["media"]
        return media

    def sent(self, method: str, path: str, body: bytes | None, content_type: str | None, token: str | None) -> dict:
        request = urllib.request.Request(self.url(f"/api/v1{path}"), body, method=method)
        if content_type:
            request.add_header("Content-Type", content_type)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=15) as answer:
            return json.load(answer)["data"]

    def is_known(self, token: str) -> bool:
        try:
            return bool(self.sent("GET", "/auth/me", None, None, token))
        except urllib.error.HTTPError:
            return False

    def told(self) -> str:
        self.log.flush()
        self.log.seek(0)
        return self.log.read()[-20000:]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(ENDS_WITHIN)


def party(service: Service, name: str) -> tuple[dict, Caller]:
    """A party that goes on, with a photo, a comment and a message, and its host."""
    host = service.ask("/auth/register", {
        "email": f"{name}@example.org", "password": PASSWORD, "username": f"{name}_l",
        "firstName": "Ada", "lastName": "Lovelace",
    })
    token = host["accessToken"]
    plan = {"title": "Summer night", "startsAt": "2126-05-01T20:00:00Z", "isPrivate": True}
    made = service.ask("/parties", plan, token)["party"]
    service.ask(f"/parties/{made['id']}/start", {}, token)
    media = service.bring(f"/parties/{made['id']}/media", PHOTO.read_bytes(), token)
    comment = service.ask(f"/media/{media['id']}/comments", {"content": "What a night!"}, token)["comment"]
    message = service.ask(f"/parties/{made['id']}/chat/messages", {"content": "See you there"}, token)["message"]
    ids = [made["id"], media["id"], comment["id"], message["id"], host["user"]["id"]]
    return made, Caller("user", token, ids, [made["accessCode"]])


def callers(service: Service) -> list[Caller]:
    """Nobody, a user who hosts a party, and a guest of another one: none of them takes from another what is there."""
    _, user = party(service, "ada")
    made, host = party(service, "bea")
    guest = service.ask("/parties/join-by-code", {"accessCode": made["accessCode"], "displayName": "Grace"})
    ids = [*host.ids, guest["guest"]["id"]]
    return [Caller("nobody", None, ids, []), user, Caller("guest", guest["accessToken"], ids, host.codes)]


def config(caller: Caller, folder: pathlib.Path) -> pathlib.Path:
    """The configuration, with what there is for that caller."""
    lists = {"ids": caller.ids, "codes": caller.codes or ["PQRS2345"]}
    lists = "".join(f"\n[dictionaries.{name}]\nvalues = {json.dumps(values)}\n" for name, values in lists.items())
    path = folder / f"{caller.name}.toml"
    path.write_text((HERE / "schemathesis.toml").read_text() + lists)
    return path


def conform(service: Service, caller: Caller, folder: pathlib.Path) -> tuple[str, int, bool]:
    """Runs schemathesis as that caller: what it says, the number of cases, and whether all of them went well."""
    command = [
        str(pathlib.Path(sys.executable).with_name("st")), "--config-file", str(config(caller, folder)),
        "run", service.url("/openapi.json"), "--checks", "all", "--max-examples", CASES, "--continue-on-failure",
        "--request-timeout", "15", "--max-response-time", "14", "--no-color", "--generation-database", "none", *sys.argv[2:],
    ]
    if caller.token:
        command += ["--header", f"Authorization: Bearer {caller.token}"]
    log = pathlib.Path(sys.prefix) / f"{caller.name}.log"
    with log.open("w") as out:
        run = subprocess.run(command, timeout=RUN_WITHIN, stdout=out, stderr=subprocess.STDOUT, cwd=HERE)
    said = log.read_text()
    is_well = run.returncode == 0
    # A token lasts for 15 min: what is asked after that says nothing
    if caller.token and not service.is_known(caller.token):
        said, is_well = f"{said}\nThe token did not last until the end", False
    cases = re.search(r"(\d[\d,]*) generated", said)
    return said, int(cases.group(1).replace(",", "")) if cases else 0, is_well


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # As root the private servers run as somebody else, who has to get there
        os.chmod(folder, 0o711)
        folder = pathlib.Path(folder)
        data = folder / "data"
        data.mkdir()
        service = Service(os.path.abspath(sys.argv[1]), str(data))
        try:
            service.wait()
            everybody = callers(service)
            with concurrent.futures.ThreadPoolExecutor() as threads:
                results = list(threads.map(lambda caller: conform(service, caller, folder), everybody))
        finally:
            code = service.end()
        for caller, (said, _, _) in zip(everybody, results):
            print(f"== as {caller.name}\n{said}")
        print(service.told())
    for caller, (_, cases, is_well) in zip(everybody, results):
        print(f"as {caller.name}: {cases} cases, {'as documented' if is_well else 'not as documented'}")
    if code or not all(cases and is_well for _, cases, is_well in results):
        raise SystemExit(f"the service does not do what it says, or did not end well: {code}")


main()
