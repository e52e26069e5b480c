"""Development in containers: what is edited is served, and a debugger gets at it."""

import pathlib
import shutil
import tempfile
import time
import unittest

import client
from engine import BUILT_WITHIN, Project, docker, eventually, inspect, run
from staging import free_ports
from tree import Tree

RELOADED_WITHIN = 10 * 60
FILE, BEFORE, AFTER = "src/http/probes.rs", '{"status":"alive"}', '{"status":"edited"}'
IMAGE = "party-gallery:test-dev"
PORTS = {"api": (3000, 9229), "db": (5432,), "redis": (6379,)}


class Dev(unittest.TestCase):
    def setUp(self):
        if not shutil.which("gdb"):
            self.fail("this needs gdb")
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="party-gallery-")))
        self.tree = Tree(directory)
        self.ports = dict(zip([port for ports in PORTS.values() for port in ports], free_ports(4)))
        override = "services:\n"
        for service, ports in PORTS.items():
            lines = [f"      - 127.0.0.1:{self.ports[port]}:{port}\n" for port in ports]
            override += f"  {service}:\n    ports: !override\n{''.join(lines)}"
        # Not the image that a developer runs
        override = override.replace("  api:\n", f"  api:\n    image: {IMAGE}\n")
        self.addCleanup(docker, "image", "rm", "--force", IMAGE, check=False)
        (directory / "override.yml").write_text(override)
        files = [self.tree.path / "docker-compose.dev.yml", directory / "override.yml"]
        self.project = Project("party-gallery-dev-test", files, self.tree.path)
        self.addCleanup(self.project.end)
        self.project.end()

    def test_what_is_edited_is_served_and_a_debugger_attaches(self):
        began = time.monotonic()
        self.project.compose("build", within=BUILT_WITHIN)
        print(f"\nbuilt in {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        self.project.compose("up", "--detach", "--no-build", "--wait", within=BUILT_WITHIN)
        print(f"healthy after {time.monotonic() - began:.0f} s", flush=True)
        health = {service: inspect(*self.project.containers(service), "{{.State.Health.Status}}") for service in PORTS}
        self.assertEqual(health, dict.fromkeys(PORTS, "healthy"))
        self.assertIn(BEFORE, self.live())
        eventually(30, "it has its schema and is ready", lambda: self.ask("/health/ready").status == 200)

        before = self.pid()
        self.tree.change(FILE, BEFORE, AFTER)
        began = time.monotonic()
        eventually(RELOADED_WITHIN, "what was edited is served", lambda: AFTER in self.live(), every=1)
        print(f"served {time.monotonic() - began:.0f} s after it was edited", flush=True)
        self.assertNotEqual(self.pid(), before)

        self.debug(self.pid())
        self.assertIn(AFTER, self.live(), "it goes on when the debugger has left")

        self.project.compose("down", "--volumes")
        label = f"label=com.docker.compose.project={self.project.name}"
        for kind, every in (("container", ["--all"]), ("volume", []), ("network", [])):
            self.assertEqual(docker(kind, "ls", *every, "--quiet", "--filter", label), "", kind)

    def debug(self, pid):
        """Attaches as scripts/serve-dev says, and looks around."""
        said = self.gdb(f"attach {pid}", "info threads", "print $pc", "thread 1", "backtrace", "detach")
        self.assertRegex(said, r'Thread \S+ "?party-gallery')
        self.assertRegex(said, r"\$1 = \(void \(\*\)\(\)\) 0x[0-9a-f]+")
        self.assertRegex(said, r"#\d+ .* party_gallery::\S+ .* at src/")

    def gdb(self, *commands):
        words = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off"]
        for command in (f"target extended-remote 127.0.0.1:{self.ports[9229]}", *commands):
            words += ["-ex", command]
        return run(*words, within=300)

    def pid(self):
        """The service's process, as its container numbers it."""
        return int(self.project.compose("exec", "-T", "api", "pgrep", "-x", "party-gallery"))

    def live(self):
        return self.ask("/health/live").body.decode()

    def ask(self, path):
        return client.ask(self.ports[3000], "GET", path, tls=False)
