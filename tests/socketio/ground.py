"""PostgreSQL, Redis, pods and nginx on free ports, in a directory that vanishes. A pod that ends is started again."""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

STARTED_WITHIN = 60
UNHURRIED = dict.fromkeys(["RATE_CHAT", "RATE_REQUESTS", "RATE_REQUESTS_BY_ADDRESS"], "100000/s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(what, holds):
    deadline = time.monotonic() + STARTED_WITHIN
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"socketio: not in time: {what}")
        time.sleep(0.05)


def program(name):
    installed = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    found = installed[-1] if installed else shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if not found:
        raise SystemExit(f"socketio: {name} is missing")
    return found


class Ground:
    """Two pods on one PostgreSQL and one Redis, with nginx before them."""

    def __init__(self, binary):
        self.binary, self.stopping = binary, threading.Event()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="socketio-"))
        self.directory.chmod(0o755)
        self.servers, self.pods, self.keepers = [], {}, []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for keeper in self.keepers:
            keeper.join(60)
        for server in reversed(self.servers):
            server.send_signal(signal.SIGINT)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        database, redis, self.page = free_port(), free_port(), free_port()
        self.start_postgres(database)
        command = [program("redis-server"), "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.serve(command, self.directory, {})
        for port in (database, redis):
            eventually("a server listens", lambda: is_open(port))
        self.environment = {
            **os.environ, **UNHURRIED,
            "DATABASE_URL": f"postgres://party@127.0.0.1:{database}/postgres",
            "REDIS_URL": f"redis://127.0.0.1:{redis}",
            "JWT_SECRET": os.urandom(32).hex(),
            "LOG_LEVEL": "error",
            # The origin of a page
            "CORS_ORIGIN": f"http://127.0.0.1:{self.page}",
        }
        for port in (free_port(), free_port()):
            keeper = threading.Thread(target=self.keep, args=(port,), daemon=True)
            self.keepers.append(keeper)
            self.pods[port] = None
            keeper.start()
        for port in self.pods:
            eventually("a pod is ready", lambda: is_ready(port))
        self.start_nginx()

    def start_postgres(self, port):
        # PostgreSQL refuses to run as root
        somebody = {"user": pwd.getpwnam("nobody").pw_uid} if os.geteuid() == 0 else {}
        home = self.directory / "postgres"
        home.mkdir()
        if somebody:
            os.chown(home, somebody["user"], -1)
        init = [program("initdb"), "--pgdata", home / "pg", "--username=party", "--auth=trust", "--no-sync"]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL, cwd=home, **somebody)
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-c", "fsync=off",
                   "-c", f"unix_socket_directories={home}"]
        self.serve([program("postgres"), "-D", home / "pg", *options], home, somebody)

    def start_nginx(self):
        self.fronts = [free_port(), free_port()]
        words = ["DIRECTORY", "FIRST", "SECOND", "BY_ADDRESS", "BY_COOKIE"]
        text = pathlib.Path(__file__).with_name("nginx.conf").read_text()
        for word, value in zip(words, [self.directory, *self.pods, *self.fronts]):
            text = text.replace(f"@{word}@", str(value))
        (self.directory / "nginx.conf").write_text(text)
        self.serve([program("nginx"), "-p", self.directory, "-c", self.directory / "nginx.conf"], self.directory, {})
        for port in self.fronts:
            eventually("nginx listens", lambda: is_open(port))

    def serve(self, command, directory, somebody):
        quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.servers.append(subprocess.Popen(command, cwd=directory, **quiet, **somebody))

    def keep(self, port):
        """Has a pod on that port until all is over. Clients find its number in `pod-<port>`."""
        data = self.directory / str(port)
        data.mkdir()
        environment = dict(self.environment, PORT=str(port), DATA_DIR=str(data), STORAGE_URL=f"file://{self.directory}/media")
        while not self.stopping.is_set():
            pod = subprocess.Popen([self.binary, "serve"], env=environment, stdout=subprocess.DEVNULL)
            (self.directory / f"pod-{port}").write_text(str(pod.pid))
            while pod.poll() is None and not self.stopping.is_set():
                time.sleep(0.05)
            if pod.poll() is None:
                pod.terminate()
                try:
                    pod.wait(30)
                except subprocess.TimeoutExpired:
                    pod.kill()

    @property
    def addresses(self):
        return [f"127.0.0.1:{port}" for port in [*self.pods, *self.fronts, self.page]]


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_ready(port):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2).close()
        return True
    except OSError:
        return False
