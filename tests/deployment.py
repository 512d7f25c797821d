"""Runs docker-compose.yml's services on this machine: their own commands, their own health checks, no Docker."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from bench.front_door import SHIPPED, configuration, free_port
from bench.front_door import program as nginx_path
from tests.machine import postgres_bin

ROOT = Path(__file__).resolve().parent.parent


def compose() -> dict[str, Any]:
    """The compose file as it stands, `<<` merged."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return loaded


class Host:
    """One machine that plays all containers: a folder, ports, and the processes that were started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.services: dict[str, Any] = compose()["services"]
        self.ports = {"postgres": free_port(), "web": free_port(), "nginx": free_port()}
        self.running: list[subprocess.Popen[bytes]] = []
        pg = postgres_bin()
        assert pg is not None, "no PostgreSQL server is installed (python -m tests.machine installs it)"
        self.postgres_bin = pg
        self.environment = self._environment()

    def _environment(self) -> dict[str, str]:
        """deploy/env.example, filled in as its comments say, and addresses of this machine for those of containers."""
        values: dict[str, str] = {}
        for line in (ROOT / "deploy/env.example").read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                name, _eq, value = line.partition("=")
                values[name] = value
        values |= {
            "DATABASE_URL": f"postgresql://limber@127.0.0.1:{self.ports['postgres']}/limber",
            "LIMBER_BASE_URL": f"http://127.0.0.1:{self.ports['nginx']}",
            "LIMBER_MEDIA_KEYS": "k1:" + "deployed-media-secret-" * 2,
            "LIMBER_LINK_KEYS": "k1:" + "deployed-links-secret-" * 2,
            "LIMBER_DATA_DIR": str(self.folder / "data"),
            "LIMBER_PORT": str(self.ports["web"]),
        }
        inherited = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        bins = [str(ROOT / ".venv/bin"), str(self.postgres_bin), "/usr/sbin", "/usr/bin", "/bin"]
        return inherited | values | {"PATH": os.pathsep.join(bins)}

    def _command(self, name: str) -> tuple[list[str], dict[str, str], str | None]:
        """The service's own command with this machine's addresses; its environment; the user to run it as."""
        command = list(self.services[name]["command"])
        extra = {key: str(value) for key, value in (self.services[name].get("environment") or {}).items()}
        if name == "postgres":
            folder = self.folder / "postgres"
            command += ["-D", str(folder), "-k", str(folder), "-p", str(self.ports["postgres"])]
            command += ["-c", "listen_addresses=127.0.0.1"]
            return command, {}, "postgres" if os.geteuid() == 0 else None
        if name == "nginx":
            return [*command, "-c", str(self._nginx_configuration(extra))], {}, None
        return command, extra, None

    def _nginx_configuration(self, image_environment: dict[str, str]) -> Path:
        """The template with the values that docker-compose.yml sets, and addresses of this machine for some of them."""
        values = {
            "LIMBER_WEB": f"127.0.0.1:{self.ports['web']}",
            "LIMBER_LISTEN": f"127.0.0.1:{self.ports['nginx']}",
            "LIMBER_MEDIA_ROOT": str(self.folder / "data/media"),
        }
        template = (SHIPPED / "http.conf.template").read_text("utf-8")
        unset = set(re.findall(r"\$\{(\w+)\}", template)) - set(image_environment)
        assert not unset, f"docker-compose.yml leaves {unset} unset"
        return configuration(self.folder, values)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start a service's own command; its output goes to a file named for it."""
        if name == "postgres":
            self._initdb()
        command, extra, user = self._command(name)
        executable = (
            nginx_path() if command[0] == "nginx" else shutil.which(command[0], path=self.environment["PATH"])
        )
        assert executable, f"{command[0]} is not installed"
        with (self.folder / f"{name}.log").open("ab") as out:
            process = subprocess.Popen(
                [executable, *command[1:]],
                env=self.environment | extra,
                stdout=out,
                stderr=out,
                user=user,
                cwd=ROOT,
            )
        self.running.append(process)
        return process

    def _initdb(self) -> None:
        folder = self.folder / "postgres"
        folder.mkdir()
        user = "postgres" if os.geteuid() == 0 else None
        if user:
            shutil.chown(folder, user)
        initdb = [
            str(self.postgres_bin / "initdb"),
            "-U",
            "limber",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "-D",
            str(folder),
        ]
        subprocess.run(initdb, check=True, user=user, stdout=subprocess.DEVNULL, cwd=folder)

    def until_healthy(self, name: str) -> None:
        """Ask the service's own health check until it passes, for at most a minute."""
        kind, *test = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        environment = self.environment | {"PGHOST": "127.0.0.1", "PGPORT": str(self.ports["postgres"])}
        test = [
            part.replace("http://127.0.0.1/", f"http://127.0.0.1:{self.ports['nginx']}/") for part in test
        ]
        if name == "postgres":
            # The image makes the database POSTGRES_DB before its own check can pass.
            test = [
                part if part != "limber" or test[i - 1] != "-d" else "postgres" for i, part in enumerate(test)
            ]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            asked = subprocess.run(
                test,
                env=environment,
                cwd=ROOT,
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if asked.returncode == 0:
                break
            time.sleep(0.3)
        else:
            raise AssertionError(
                f"{name} never became healthy:\n{(self.folder / f'{name}.log').read_text()[-3000:]}"
            )
        if name == "postgres":
            createdb = [str(self.postgres_bin / "createdb"), "-U", "limber", "limber"]
            subprocess.run(createdb, env=environment, check=False, stderr=subprocess.DEVNULL)

    def run_to_end(self, name: str) -> None:
        process = self.start(name)
        assert process.wait(120) == 0, (self.folder / f"{name}.log").read_text()[-3000:]

    def stop(self) -> None:
        """Stop what was started, last first."""
        for process in reversed(self.running):
            if process.poll() is None:
                process.terminate()
        for process in reversed(self.running):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def deployed(folder: Path) -> Iterator[Host]:
    """Everything that docker-compose.yml names, up and healthy, in the order it asks for."""
    host = Host(folder)
    try:
        host.start("postgres")
        host.until_healthy("postgres")
        host.run_to_end("migrate")
        for name in ("web", "worker", "nginx"):
            host.start(name)
            host.until_healthy(name)
        yield host
    finally:
        host.stop()
