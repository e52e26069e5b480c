"""What a replica may do, as the kernel sees it, and how little of the machine it takes."""

import errno
import json
import os
import pathlib
import time
import unittest

from engine import docker, inspect, peak_memory
from load import Load
from staging import IMAGES, StagingCase

USER = 65532
LIMIT = 512 * 1024 * 1024
IMAGE_BELOW = 60_000_000
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
# CHOWN, DAC_OVERRIDE, SETGID, SETUID, NET_BIND_SERVICE, as linux/capability.h numbers them
OF_NGINX = sum(1 << number for number in (0, 1, 6, 7, 10))


def status(pid):
    """A process's fields, as its kernel tells them."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def children(pid):
    """The processes that a process has started and that run."""
    pids = [path.name for path in pathlib.Path("/proc").iterdir() if path.name.isdigit()]
    return [other for other in pids if parent(other) == str(pid)]


def parent(pid):
    """Who has started a process; nobody where it is gone."""
    try:
        return status(pid)["PPid"]
    except OSError:
        return None


needs_root = unittest.skipUnless(os.geteuid() == 0, "only root may look there")


class Hardening(StagingCase):
    NAME = "hardening"

    def pids(self, service="api"):
        """The first process of each of a service's containers."""
        return [int(inspect(container, "{{.State.Pid}}")) for container in self.staging.project.containers(service)]

    def every(self):
        """Each container of staging by its service."""
        services = self.staging.project.compose("ps", "--services").split()
        return {service: self.staging.project.containers(service) for service in services}

    @needs_root
    def test_1_its_files_are_read_only_but_for_its_volume(self):
        for container, pid in zip(self.staging.replicas(), self.pids()):
            self.assertEqual(inspect(container, "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Privileged}}"), "true false")
            # By root, whom no mode stops: what refuses is the mount
            root = pathlib.Path(f"/proc/{pid}/root")
            for name in ("written", "tmp/written", "usr/local/bin/written", "etc/passwd"):
                with self.assertRaises(OSError, msg=name) as refused, open(root / name, "ab"):
                    pass
                self.assertEqual(refused.exception.errno, errno.EROFS, name)
            mine = root / "var/lib/party-gallery/written"
            mine.write_text("here it may")
            mine.unlink()
            mounts = [(mount["Type"], mount["Destination"]) for mount in json.loads(inspect(container, "{{json .Mounts}}"))]
            self.assertEqual(mounts, [("volume", "/var/lib/party-gallery")])

    def test_2_it_has_no_capability_and_gets_none(self):
        for pid in self.pids():
            told = status(pid)
            self.assertEqual({name: int(told[name], 16) for name in CAPABILITIES}, dict.fromkeys(CAPABILITIES, 0))
            self.assertEqual(told["NoNewPrivs"], "1")
            for ids in ("Uid", "Gid"):
                self.assertEqual(told[ids].split(), [str(USER)] * 4)
            self.assertEqual(set(told["Groups"].split()) - {str(USER)}, set())

    def test_3_neither_has_anything_beside_it_what_it_does_not_need(self):
        for service, containers in self.every().items():
            for container in containers:
                told = status(inspect(container, "{{.State.Pid}}"))
                self.assertEqual(told["NoNewPrivs"], "1", service)
        for pid in self.pids("nginx"):
            self.assertEqual(int(status(pid)["CapBnd"], 16), OF_NGINX)
            workers = [status(child) for child in children(pid)]
            self.assertNotEqual(workers, [])
            for worker in workers:
                self.assertEqual((int(worker["CapEff"], 16), worker["Uid"].split().count("0")), (0, 0))
        published = {service: self.published(containers) for service, containers in self.every().items()}
        self.assertEqual({service for service, ports in published.items() if ports}, {"nginx"})

    def published(self, containers):
        """Ports of this machine that lead to containers."""
        ports = [json.loads(inspect(container, "{{json .NetworkSettings.Ports}}")) for container in containers]
        return [binding for each in ports for bindings in each.values() for binding in bindings or []]

    @needs_root
    def test_4_its_secrets_are_its_own(self):
        staging = self.staging
        for pid in self.pids():
            environment = pathlib.Path(f"/proc/{pid}/environ")
            held = environment.read_bytes()
            self.assertTrue(all(secret.encode() in held for secret in staging.secrets.values()), "this is where they are")
            self.assertEqual((environment.stat().st_uid, environment.stat().st_mode & 0o777), (USER, 0o400))
        told = [staging.project.log(service) for service in self.every()]
        told += [pathlib.Path(f"/proc/{pid}/cmdline").read_text() for pid in self.pids()]
        for image in IMAGES.values():
            told += [docker("history", "--no-trunc", image), docker("image", "inspect", image)]
        for container in staging.replicas():
            told.append(docker("diff", container))
        for text in told:
            for name, secret in staging.secrets.items():
                self.assertNotIn(secret, text, name)
        # Nothing but what is the same everywhere is in the image
        names = {pair.split("=")[0] for pair in json.loads(inspect(IMAGES["IMAGE"], "{{json .Config.Env}}"))}
        self.assertLessEqual(names, {"PATH", "SSL_CERT_FILE", "APP_ENV", "DATA_DIR"})

    def test_5_under_load_it_stays_within_512_mb(self):
        for container in self.staging.replicas():
            self.assertEqual(inspect(container, "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}"), f"{LIMIT} {500_000_000}")
        with Load(self.staging.base) as load:
            time.sleep(15)
            load.within(load.stop())
            load.within(load.settled())
            self.assertEqual(load.failures, [])
            self.assertGreaterEqual(load.tally["uploads"], 20)
        peaks = {container[:12]: peak_memory(container) for container in self.staging.replicas()}
        print(f"\npeaks of memory: {peaks}, under {dict(load.tally)}", flush=True)
        for peak in peaks.values():
            self.assertIsNotNone(peak, "the engine's control groups are not where they are looked for")
            self.assertLess(peak, LIMIT)
        for container in self.staging.replicas():
            self.assertEqual(inspect(container, "{{.State.OOMKilled}} {{.RestartCount}}"), "false 0")

    @needs_root
    def test_6_its_image_is_small_and_has_no_shell(self):
        size = int(inspect(IMAGES["IMAGE"], "{{.Size}}"))
        print(f"\nthe image has {size / 1e6:.1f} MB", flush=True)
        self.assertLess(size, IMAGE_BELOW)
        self.assertEqual(inspect(IMAGES["IMAGE"], "{{.Config.User}}"), f"{USER}:{USER}")
        for pid in self.pids():
            for shell in ("bin/sh", "bin/bash", "usr/bin/sh", "busybox/sh"):
                self.assertFalse(pathlib.Path(f"/proc/{pid}/root/{shell}").exists(), shell)
