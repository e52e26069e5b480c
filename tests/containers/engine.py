"""The Docker engine and Compose, as tests ask them."""

import json
import os
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILT_WITHIN = 45 * 60
PROFILE = os.environ.get("PROFILE") or "quick"


def run(*command, within=120, check=True, cwd=ROOT, env=None, given=None):
    """Runs a command and gives what it printed, both streams in one. Fails with that when the command does."""
    ended = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=os.environ | (env or {}),
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=within,
        check=False,
    )
    if check and ended.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {ended.returncode}:\n{ended.stdout[-6000:]}")
    return ended.stdout


def docker(*command, **options):
    """Runs a command of the engine and gives what it printed."""
    return run("docker", *command, **options)


def inspect(name, template):
    """One fact of a container or an image, by Go's template."""
    return docker("inspect", name, "--format", template).strip()


def peak_memory(container):
    """The most bytes that a container has held, as its control group knows."""
    number = inspect(container, "{{.Id}}")
    for file in (
        f"/sys/fs/cgroup/memory/docker/{number}/memory.max_usage_in_bytes",
        f"/sys/fs/cgroup/docker/{number}/memory.peak",
        f"/sys/fs/cgroup/system.slice/docker-{number}.scope/memory.peak",
    ):
        if pathlib.Path(file).exists():
            return int(pathlib.Path(file).read_text())
    return None


def build(target, tag, profile=PROFILE, directory=ROOT, without_cache_of=None):
    """Builds a stage and gives the build's log."""
    fresh = ["--no-cache-filter", without_cache_of] if without_cache_of else []
    arguments = ["--progress", "plain", "--target", target, "--build-arg", f"PROFILE={profile}", "--tag", tag]
    return docker("build", *arguments, *fresh, ".", cwd=directory, within=BUILT_WITHIN)


def eventually(within, what, condition, every=0.2):
    """Asks until the answer is not false, and gives it; fails with the last answer or error after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        try:
            last = condition()
            if last:
                return last
        except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what}; last: {last!r}")
        time.sleep(every)


class Project:
    """A Compose project of a test's own."""

    def __init__(self, name, files, directory=ROOT, env=None):
        self.name = name
        self.directory = directory
        self.env = env or {}
        self.options = ["--project-name", name, "--project-directory", str(directory)]
        # An operator's own settings are not the test's
        self.options += ["--env-file", "/dev/null"]
        for file in files:
            self.options += ["-f", str(file)]

    def compose(self, *command, **options):
        """Runs a command of Compose."""
        return docker("compose", *self.options, *command, cwd=self.directory, env=self.env, **options)

    def containers(self, service):
        """The ids of a service's running containers."""
        return self.compose("ps", "--quiet", service).split()

    def address(self, container, network="front"):
        """A container's address on one of the project's networks."""
        networks = json.loads(inspect(container, "{{json .NetworkSettings.Networks}}"))
        return networks[f"{self.name}_{network}"]["IPAddress"]

    def log(self, service):
        """What a service's containers have written."""
        return "".join(docker("logs", container) for container in self.compose("ps", "--all", "--quiet", service).split())

    def lines(self, service):
        """The same, those of its lines that are JSON."""
        return [json.loads(line) for line in self.log(service).splitlines() if line.startswith("{")]

    def end(self):
        """Removes all of it."""
        self.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "20", check=False)
