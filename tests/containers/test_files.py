"""The files themselves: what linters, Compose and nginx say of them."""

import json
import re
import unittest

from engine import ROOT, Project, docker, run
from proxy import Proxy

SECRETS = {"JWT_SECRET": "0" * 64, "POSTGRES_PASSWORD": "0" * 64}


class Files(unittest.TestCase):
    def test_the_dockerfile_has_no_lint(self):
        run("hadolint", "Dockerfile")
        self.assertNotIn("# syntax=", (ROOT / "Dockerfile").read_text())

    def test_the_scripts_have_no_lint(self):
        scripts = [path for path in (ROOT / "scripts").iterdir()]
        run("shellcheck", *scripts, ".ci/run", "tests/containers/run")

    def test_the_compose_files_have_no_serious_lint(self):
        run("compose-lint", "--fail-on", "high", "docker-compose.dev.yml", "docker-compose.staging.yml")

    def test_nginx_takes_its_configuration_and_gixy_finds_nothing_in_it(self):
        with Proxy("http-alone") as proxy:
            said = proxy.project.compose("exec", "-T", "nginx", "nginx", "-c", "/etc/nginx/site/nginx.conf", "-t")
            self.assertIn("test is successful", said)
            self.assertNotIn("[warn]", said)
            whole = proxy.project.compose("exec", "-T", "nginx", "nginx", "-c", "/etc/nginx/site/nginx.conf", "-T")
            dump = whole[whole.index("# configuration file") :]
            (proxy.directory / "dump.conf").write_text(dump)
            run("gixy", "-l", proxy.directory / "dump.conf")

    def test_every_variable_of_the_service_is_passed_on_in_staging(self):
        text = (ROOT / ".env.example").read_text().split("# ---- Compose")[0]
        documented = set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", text, re.MULTILINE))
        project = Project("party-gallery-files", ["docker-compose.staging.yml"], env=SECRETS | {n: "7" for n in documented})
        config = json.loads(project.compose("config", "--format", "json"))
        passed = set(config["services"]["api"]["environment"])
        # Where it listens and keeps its things is the image's business
        self.assertEqual(documented - passed, {"NODE_ENV", "HOST", "PORT", "DATA_DIR"})

    def test_nothing_starts_without_secrets(self):
        project = Project("party-gallery-files", ["docker-compose.staging.yml"], env={name: "" for name in SECRETS})
        said = project.compose("config", check=False)
        self.assertIn("required variable", said)

    def test_development_binds_to_this_machine_alone(self):
        project = Project("party-gallery-files", ["docker-compose.dev.yml"])
        config = json.loads(project.compose("--profile", "*", "config", "--format", "json"))
        ports = {
            (port["host_ip"], int(port["published"]), port["target"])
            for service in config["services"].values()
            for port in service.get("ports", [])
        }
        published = {(3000, 3000), (9229, 9229), (5432, 5432), (6379, 6379), (5050, 80)}
        self.assertEqual(ports, {("127.0.0.1", *pair) for pair in published})
        self.assertLessEqual({"postgres_dev", "redis_dev"}, set(config["volumes"]))

    def test_the_public_images_alone_are_named(self):
        for target in ("deps", "builder", "backup", "runner"):
            self.assertRegex((ROOT / "Dockerfile").read_text(), rf"(?m)^FROM \S+ AS {target}$")
        self.assertEqual(docker("version", "--format", "{{.Server.Os}}").strip(), "linux")


if __name__ == "__main__":
    unittest.main()
