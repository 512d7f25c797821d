"""The shipped nginx configuration, filled in for this machine and run: for benchmarks and for tests."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "deploy/nginx"
# The two ways in which nginx keeps what it was told about tokens: folders of `SHIPPED`.
IN_FILES, IN_MEMORY = "answers-in-files", "answers-in-memory"
MODULES = Path("/usr/lib/nginx/modules")
LUA = ("ndk_http_module.so", "ngx_http_lua_module.so")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program() -> str | None:
    """Path of an installed nginx."""
    return shutil.which("nginx") or next((p for p in ("/usr/sbin/nginx",) if Path(p).exists()), None)


def has_lua() -> bool:
    """Whether the modules that IN_MEMORY needs are installed, where Debian puts them."""
    return all((MODULES / name).exists() for name in LUA)


def with_values(text: str, values: dict[str, str]) -> str:
    """`${NAME}` filled in, as nginx's image does with its templates."""
    for name, value in values.items():
        text = text.replace("${" + name + "}", value)
    return text


def configuration(folder: Path, values: dict[str, str], *, kind: str = "http", extra: str = "") -> Path:
    """A template rendered as the image would, inside a nginx.conf like the image's own.

    `values`: what is not of this machine alone, at least LIMBER_WEB, LIMBER_LISTEN and LIMBER_MEDIA_ROOT. `extra` is
    added to the last server block. Without LIMBER_NGINX_ANSWERS,
    answers are kept in memory where that is possible.
    """
    filled = {
        "LIMBER_EDGE_KEY": os.environ.get("LIMBER_EDGE_KEY", ""),
        "LIMBER_NGINX_ANSWERS": IN_MEMORY if has_lua() else IN_FILES,
        "LIMBER_NGINX_CACHE": str(folder / "nginx-cache"),
        "LIMBER_NGINX_CONF": str(SHIPPED),
        "LIMBER_NGINX_LOG": str(folder / "nginx-access.log"),
        "LIMBER_NGINX_MEDIA_MAX": "1g",
        "LIMBER_NGINX_TLS": str(folder),
        **values,
    }
    servers = with_values((SHIPPED / f"{kind}.conf.template").read_text("utf-8"), filled)
    assert "${" not in servers, "a variable of the template has no value"
    servers = servers.rstrip().removesuffix("}") + f"{extra}}}"
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = "".join(
        f"{name}_temp_path {folder}/nginx-{name}; "
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    modules = LUA if filled["LIMBER_NGINX_ANSWERS"] == IN_MEMORY else ()
    loaded = "".join(f"load_module {MODULES / name};\n" for name in modules)
    path = folder / "nginx.conf"
    path.write_text(
        f"{loaded}{user} worker_processes {values.get('workers', '1')}; pid {folder}/nginx.pid;\n"
        "error_log stderr warn;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{ access_log off; {temporary}\n{servers}\n}}\n"
    )
    return path


@dataclass(frozen=True)
class FrontDoor:
    """A running nginx. `tls_port` is 0 without TLS; `pid` is its master's."""

    port: int
    tls_port: int
    pid: int
    log: Path


@contextmanager
def front_door(
    folder: Path,
    web_port: int,
    media: Path,
    *,
    kind: str = "http",
    answers: str | None = None,
    workers: int = 1,
    extra: str = "",
) -> Iterator[FrontDoor]:
    """nginx before the web process on `web_port`, its files in `folder` and `folder`'s own certificate.

    `answers`: IN_FILES or IN_MEMORY; if not said, the environment's LIMBER_NGINX_ANSWERS, or the
    better that this machine has.

    Raises:
        RuntimeError: it does not come up.
    """
    found = program()
    if found is None:
        raise RuntimeError("nginx is not installed (python -m tests.machine installs it)")
    # In memory, as docker-compose.yml mounts it: on ext4 a new file for each answer took nginx 1.4 ms.
    memory = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else folder
    cache = Path(tempfile.mkdtemp(prefix="limber-nginx-", dir=memory))
    kept = answers or os.environ.get("LIMBER_NGINX_ANSWERS")
    port, tls_port = free_port(), free_port() if kind == "https" else 0
    if kind == "https":
        certificate(folder)
    values = {
        "LIMBER_WEB": f"127.0.0.1:{web_port}",
        "LIMBER_LISTEN": f"127.0.0.1:{port}",
        "LIMBER_LISTEN_TLS": f"127.0.0.1:{tls_port}",
        "LIMBER_MEDIA_ROOT": str(media),
        "LIMBER_NGINX_CACHE": str(cache / "auth"),
        "workers": str(workers),
        **({"LIMBER_NGINX_ANSWERS": kept} if kept else {}),
    }
    path = configuration(folder, values, kind=kind, extra=extra)
    with (folder / "nginx-error.log").open("wb") as said:
        process = subprocess.Popen(
            [found, "-g", "daemon off; pcre_jit on;", "-c", str(path)], stdout=said, stderr=said
        )
    try:
        until_listening(process, tls_port or port, folder / "nginx-error.log")
        yield FrontDoor(port, tls_port, process.pid, folder / "nginx-access.log")
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(cache, ignore_errors=True)


def until_listening(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Wait until something listens on `port`, at most 20 s.

    Raises:
        RuntimeError: with what it said, when it ended or never does.
    """
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nginx does not answer: {log.read_text()[-2000:]}")


def certificate(folder: Path) -> Path:
    """`fullchain.pem` and `privkey.pem` for 127.0.0.1, signed by themselves; answers the first's path."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "fullchain.pem"
