"""nginx as staging runs it, from a copy of its files, before a stub instead of the service."""

import json
import pathlib
import shutil
import tempfile

from engine import ROOT, Project, docker, eventually, inspect, run
from stub import Stub

SERVER_NAME = "gallery.test"
OVERRIDE = """
services:
  nginx:
    ports: !override
      - 127.0.0.1::80
      - 127.0.0.1::443
    environment:
      API: ${STUB:-api:3000}
      RESOLVER: ${STUB_DNS:-127.0.0.11}
"""
ENV = {"SERVER_NAME": SERVER_NAME, "JWT_SECRET": "none", "POSTGRES_PASSWORD": "none", "STUB": "api:3000"}


def copied():
    """A directory with what Compose needs of staging, and no certificate."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="party-gallery-"))
    shutil.copy(ROOT / "docker-compose.staging.yml", directory)
    shutil.copytree(ROOT / "nginx", directory / "nginx", ignore=shutil.ignore_patterns("*.pem"))
    return directory


class Proxy:
    """For `with`: nginx, listening, and what is behind it."""

    def __init__(self, name):
        self.directory = copied()
        (self.directory / "override.yml").write_text(OVERRIDE)
        files = [self.directory / "docker-compose.staging.yml", self.directory / "override.yml"]
        self.project = Project(f"party-gallery-{name}", files, self.directory, dict(ENV))
        self.stub = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        self.project.end()
        run(ROOT / "scripts/make-certificate", self.directory / "nginx/ssl", env={"SERVER_NAME": SERVER_NAME})
        self.project.compose("up", "--no-start", "--no-deps", "--no-build", "nginx")
        gateways = [gateway(f"{self.project.name}_front"), gateway("bridge")]
        self.stub = Stub(gateways)
        self.project.env |= {"STUB": f"replicas.test:{self.stub.port}", "STUB_DNS": self.stub.resolver}
        self.project.compose("up", "--detach", "--no-deps", "--no-build", "nginx")
        self.container = self.project.containers("nginx")[0]
        self.http, self.https = published(self.container, 80), published(self.container, 443)
        self.serves_all()

    def serves_all(self):
        """Waits until nginx has heard of every replica, and of none that is gone."""
        import client

        def heard():
            seen = len(self.stub.seen)
            answers = [client.ask(self.https, "GET", "/health") for _ in range(8)]
            return all(answer.status == 200 for answer in answers) and {
                request.at for request in self.stub.since(seen)
            } == set(self.stub.named)

        eventually(20, "nginx serves from every replica", heard)

    def __exit__(self, *_):
        if self.stub:
            self.stub.end()
        self.project.end()
        shutil.rmtree(self.directory, ignore_errors=True)


def gateway(network):
    """The address of this machine on one of the engine's networks."""
    return docker("network", "inspect", network, "--format", "{{(index .IPAM.Config 0).Gateway}}").strip()


def published(container, port):
    """The port of this machine that leads to a container's."""
    ports = json.loads(inspect(container, "{{json .NetworkSettings.Ports}}"))
    return int(ports[f"{port}/tcp"][0]["HostPort"])
