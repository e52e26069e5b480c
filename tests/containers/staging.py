"""Staging as it is shipped, from a copy of its files, on ports of its own."""

import os
import secrets
import shutil
import socket
import time
import unittest

import client
from engine import Project, build, eventually
from proxy import copied

IMAGES = {"IMAGE": "party-gallery:test", "BACKUP_IMAGE": "party-gallery:test-backup"}
# Both, or they are built
GIVEN = all(os.environ.get(name) for name in IMAGES)
if GIVEN:
    IMAGES = {name: os.environ[name] for name in IMAGES}
OVERRIDE = """
services:
  nginx:
    ports: !override
      - 127.0.0.1:{http}:80
      - 127.0.0.1:{https}:443
"""


def built():
    """Builds the images where they are not there yet, and gives the log; those that are given are taken as they are."""
    if GIVEN:
        return ""
    return build("runner", IMAGES["IMAGE"]) + build("backup", IMAGES["BACKUP_IMAGE"])


def free_ports(count):
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Staging:
    """For `with`: staging, ready."""

    def __init__(self, name):
        self.directory = copied()
        # Not the engine's choice, which is another one after each start
        self.http, self.https = free_ports(2)
        (self.directory / "override.yml").write_text(OVERRIDE.format(http=self.http, https=self.https))
        self.files = [self.directory / "docker-compose.staging.yml", self.directory / "override.yml"]
        self.secrets = {"JWT_SECRET": secrets.token_hex(32), "POSTGRES_PASSWORD": secrets.token_hex(24)}
        self.project = Project(f"party-gallery-{name}", self.files, self.directory, IMAGES | self.secrets)

    def __enter__(self):
        built()
        try:
            self.project.end()
            began = time.monotonic()
            self.project.compose("up", "--detach", "--no-build", "--wait")
            eventually(30, "staging is ready", self.is_ready)
            self.took = time.monotonic() - began
        except BaseException:
            self.__exit__()
            raise
        return self

    @property
    def base(self):
        return f"https://127.0.0.1:{self.https}"

    def ask(self, method, path, headers=None, **options):
        return client.ask(self.https, method, path, headers, **options)

    def is_ready(self):
        return self.ask("GET", "/health/ready").status == 200

    def replicas(self):
        """The ids of those that run."""
        return self.project.containers("api")

    def serving(self):
        """The addresses of the replicas that have answered requests through nginx."""
        lines = [line for line in self.project.lines("nginx") if line["upstreamStatus"] == "200"]
        return {line["upstream"].split(":")[0] for line in lines}

    def __exit__(self, *_):
        self.project.end()
        shutil.rmtree(self.directory, ignore_errors=True)


class StagingCase(unittest.TestCase):
    """Tests that share one staging: set `NAME`."""

    NAME = ""

    @classmethod
    def setUpClass(cls):
        cls.staging = cls.enterClassContext(Staging(cls.NAME))
