"""Makes sure that this machine has what tests and benchmarks need beyond Python: a browser, nginx, PostgreSQL, wrk."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.front_door import has_lua

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_BROWSERS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)

_SHELLS = "chromium_headless_shell-*/*/*headless*shell"


def browser() -> str | None:
    """Path of an installed Chromium, or of the one that Playwright has downloaded."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    for path in MAC_BROWSERS:
        if path.exists():
            return str(path)
    caches = (Path.home() / ".cache/ms-playwright", Path.home() / "Library/Caches/ms-playwright")
    for pattern in ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*"):
        for cache in caches:
            for path in sorted(cache.glob(pattern), reverse=True):
                return str(path)
    return None


def headless_shell() -> str | None:
    """Path of Chromium's headless shell: the same engine in a program without windows."""
    if found := shutil.which("chromium-headless-shell"):
        return found
    cache = Path.home() / ".cache/ms-playwright"
    return next((str(path) for path in sorted(cache.glob(_SHELLS), reverse=True)), None)


def nginx() -> str | None:
    return shutil.which("nginx") or next((p for p in ("/usr/sbin/nginx",) if Path(p).exists()), None)


def postgres_bin() -> Path | None:
    """Folder of a PostgreSQL server's programs installed by the system (15 or newer)."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if int(folder.parent.name) >= 15 and (folder / "postgres").exists():
            return folder
    found = shutil.which("postgres")
    return Path(found).parent if found else None


@contextmanager
def open_folder(name: str) -> Iterator[Path]:
    """A folder that every user may pass through: as root, PostgreSQL runs as another one.

    Not pytest's own: each pytest that starts on this machine closes the folder above all of them to others.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"limber-{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _apt(*packages: str) -> bool:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    if "postgresql" in packages:
        # The tests start servers of their own; the package's default one would only take port and memory.
        subprocess.run(["apt-get", "install", "-y", "-qq", "postgresql-common"], check=False, **quiet)  # type: ignore[call-overload]
        folder = Path("/etc/postgresql-common/createcluster.d")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "limber-tests.conf").write_text("create_main_cluster = false\n", "utf-8")
    done = subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
        check=False,
        **quiet,  # type: ignore[call-overload]
    )
    return bool(done.returncode == 0)


def main() -> int:
    """Install what is missing; 1, with a sentence for each thing, when something cannot be had."""
    has_all = (
        browser() and headless_shell() and nginx() and has_lua() and postgres_bin() and shutil.which("wrk")
    )
    if not has_all and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False, stdout=subprocess.DEVNULL)
    if browser() is None:
        playwright = [sys.executable, "-m", "playwright", "install", "chromium"]
        # An answer, good or bad, within two minutes: a closed network must not hold the tests up.
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                playwright, check=False, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
    missing = []
    if browser() is None and not (_apt("chromium") and browser()):
        missing.append("a Chromium browser (Debian: apt-get install chromium)")
    if headless_shell() is None and not (_apt("chromium-headless-shell") and headless_shell()):
        sys.stderr.write(
            "Without chromium-headless-shell the tests take longer: the whole Chromium runs them.\n"
        )
    if nginx() is None and not (_apt("nginx-light") and nginx()):
        missing.append("nginx (Debian: apt-get install nginx-light)")
    if postgres_bin() is None and not (_apt("postgresql") and postgres_bin()):
        missing.append("a PostgreSQL server (Debian: apt-get install postgresql)")
    if not has_lua() and not (_apt("libnginx-mod-http-lua") and has_lua()):
        sys.stderr.write("Without libnginx-mod-http-lua, nginx is tested with its answers in files only.\n")
    if shutil.which("wrk") is None and not (_apt("wrk") and shutil.which("wrk")):
        # Only the benchmarks of delivery need it.
        sys.stderr.write("`make bench` needs wrk for two of its figures (Debian: apt-get install wrk).\n")
    for thing in missing:
        sys.stderr.write(f"The tests need {thing}.\n")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
