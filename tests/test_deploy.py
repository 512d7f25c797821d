"""The shipped deployment, run on this machine: every service's own command until its own health check passes."""

import asyncio
import os
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from app.clock import utcnow
from app.keys import KeyRing
from app.playback import tokens
from app.settings import Settings
from bench.front_door import IN_FILES, SHIPPED, front_door, with_values
from tests import factories
from tests.deployment import ROOT, Host, compose, deployed
from tests.machine import open_folder

pytestmark = pytest.mark.xdist_group("deploy")
SENTENCE = "Please log in to watch the paid videos."


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with open_folder("deploy") as folder, deployed(folder) as up:
        yield up


@pytest.fixture
def site(host: Host) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=f"http://127.0.0.1:{host.ports['nginx']}", trust_env=False, verify=False
    ) as client:
        yield client


def playable(host: Host, *, is_free: bool) -> tuple[str, UUID]:
    """A lesson with bytes on disk and a playback of it by nobody in particular; its token and its video."""
    from app import db
    from app.playback.models import Playback

    async def make() -> tuple[UUID, UUID]:
        db.open_database(host.environment["DATABASE_URL"], pool_size=1)
        async with db.transaction() as session:
            section = await factories.section(session, await factories.course(session))
            lesson = await factories.lesson(session, section, is_free=is_free)
            assert lesson.video_id
            playback = Playback(lesson_id=lesson.id, video_id=lesson.video_id, video_version=1)
            session.add(playback)
            await session.flush()
            made = playback.id, lesson.video_id
        await db.close_database()
        return made

    playback_id, video_id = asyncio.run(make())
    folder = Path(host.environment["LIMBER_DATA_DIR"]) / "media/videos" / str(video_id) / "1"
    folder.mkdir(parents=True)
    (folder / "master.m3u8").write_text("#EXTM3U\n")
    (folder / "seg.m4s").write_bytes(bytes(range(256)) * 40)
    ring = KeyRing.parse(host.environment["LIMBER_MEDIA_KEYS"])
    return tokens.sign(ring, playback_id, video_id, 1, int(utcnow().timestamp()) + 300), video_id


def test_every_service_is_healthy_by_its_own_check(host: Host) -> None:
    for name, service in host.services.items():
        if "healthcheck" in service:
            host.until_healthy(name)


def test_the_site_answers_through_nginx(site: httpx.Client) -> None:
    assert site.get("/healthz").json() == {"status": "ok"}
    assert site.get("/readyz").json() == {"database": "ok", "storage": "ok", "queue": "ok"}
    page = site.get("/login", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_figures_are_not_for_strangers(site: httpx.Client) -> None:
    assert site.get("/metrics").status_code == 404


def test_nginx_serves_bytes_to_a_good_token_only(host: Host, site: httpx.Client) -> None:
    token, video = playable(host, is_free=True)
    address = f"/media/{token}/{video}/1/seg.m4s"
    whole = site.get(address)
    assert (whole.status_code, len(whole.content)) == (200, 10240)
    assert whole.headers["server"] == "nginx"
    part = site.get(address, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert (
        site.get(f"/media/{token}/{video}/1/master.m3u8").headers["content-type"]
        == "application/vnd.apple.mpegurl"
    )
    tampered = site.get(f"/media/{token[:-2]}AA/{video}/1/seg.m4s")
    assert (tampered.status_code, tampered.text.strip()) == (403, SENTENCE)


def test_a_token_warmed_on_a_free_video_does_not_open_a_paid_one(host: Host, site: httpx.Client) -> None:
    token, free = playable(host, is_free=True)
    _other, paid = playable(host, is_free=False)
    assert site.get(f"/media/{token}/{free}/1/seg.m4s").status_code == 200
    assert site.get(f"/media/{token}/{paid}/1/seg.m4s").status_code == 403
    assert site.get(f"/media/{token}/{free}/1/seg.m4s").status_code == 200


def test_a_paid_video_does_not_open_for_a_playback_that_no_entitlement_stands_behind(
    host: Host, site: httpx.Client
) -> None:
    token, paid = playable(host, is_free=False)
    assert site.get(f"/media/{token}/{paid}/1/seg.m4s").status_code == 403


def test_both_doors_say_the_same_about_keeping_and_origin(host: Host, site: httpx.Client) -> None:
    token, video = playable(host, is_free=True)
    names = ("content-type", "x-content-type-options", "cross-origin-resource-policy", "accept-ranges")
    with httpx.Client(base_url=f"http://127.0.0.1:{host.ports['web']}", trust_env=False, verify=False) as app:
        for file, kept in (("seg.m4s", "private, max-age="), ("master.m3u8", "private, no-cache")):
            both = [door.get(f"/media/{token}/{video}/1/{file}") for door in (site, app)]
            assert [answer.status_code for answer in both] == [200, 200]
            assert [both[0].headers.get(name) for name in names] == [
                both[1].headers.get(name) for name in names
            ]
            for answer in both:
                assert answer.headers["cache-control"].startswith(kept)
                # No other site's script reads it.
                assert "access-control-allow-origin" not in answer.headers
                if file == "seg.m4s":
                    assert 285 <= int(answer.headers["cache-control"].removeprefix(kept)) <= 300
    etag = site.get(f"/media/{token}/{video}/1/master.m3u8").headers["etag"]
    again = site.get(f"/media/{token}/{video}/1/master.m3u8", headers={"If-None-Match": etag})
    assert again.status_code == 304


def test_with_tls_it_speaks_http2_and_plain_http_leads_there(host: Host) -> None:
    token, video = playable(host, is_free=True)
    media = Path(host.environment["LIMBER_DATA_DIR"]) / "media"
    with open_folder("tls") as folder, front_door(folder, host.ports["web"], media, kind="https") as door:
        trusted = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
        trusted.check_hostname = False
        with httpx.Client(verify=trusted, trust_env=False) as client:
            answer = client.get(f"https://127.0.0.1:{door.tls_port}/media/{token}/{video}/1/seg.m4s")
            assert (answer.status_code, len(answer.content)) == (200, 10240)
            plain = client.get(f"http://127.0.0.1:{door.port}/media/x")
            assert (plain.status_code, plain.headers["location"]) == (308, "https://127.0.0.1/media/x")
        trusted.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", door.tls_port), 10) as line,
            trusted.wrap_socket(line, server_hostname="127.0.0.1") as secure,
        ):
            assert (secure.selected_alpn_protocol(), secure.version()) == ("h2", "TLSv1.3")
        old = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
        old.check_hostname = False
        with warnings.catch_warnings():
            # Python warns of what is tried here.
            warnings.simplefilter("ignore", DeprecationWarning)
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with (
            socket.create_connection(("127.0.0.1", door.tls_port), 10) as line,
            pytest.raises(OSError, match=r"SSL|TLS|reset"),
        ):
            old.wrap_socket(line, server_hostname="127.0.0.1")


@pytest.mark.parametrize("way", ["../../../", "..%2f..%2f", "%2e%2e/%2e%2e/", "....//"])
def test_no_path_leads_out_of_the_video(host: Host, site: httpx.Client, way: str) -> None:
    token, video = playable(host, is_free=True)
    request = httpx.Request("GET", f"{site.base_url}/media/{token}/{video}/1/{way}{uuid4()}/1/seg.m4s")
    assert site.send(request).status_code in (403, 404)


def raw_status(host: Host, path: str, *headers: str) -> str:
    """Status line of a request spelled byte by byte, from an address of this machine that is nobody's proxy."""
    with socket.create_connection(("127.0.0.1", host.ports["nginx"]), 10, ("127.0.0.2", 0)) as line:
        lines = [f"GET {path} HTTP/1.1", "Host: limber.test", "Connection: close", *headers, "", ""]
        line.sendall("\r\n".join(lines).encode())
        return line.makefile("rb").readline().decode()


def test_a_token_cannot_smuggle_headers_into_nginxs_question(host: Host, site: httpx.Client) -> None:
    token, video = playable(host, is_free=True)
    smuggled = "x" * 20 + "%0d%0aContent-Length:%2040%0d%0aX-Rest:%20"
    assert " 403 " in raw_status(host, f"/media/{smuggled}/{video}/1/seg.m4s")
    # A body that was announced and never sent would swallow the head of the next question on the same line.
    assert site.get(f"/media/{token}/{video}/1/seg.m4s").status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/metrics%0a", "//metrics", "/%6detrics", "/x/../metrics"])
def test_a_forged_address_opens_no_figures(host: Host, path: str) -> None:
    assert " 200 " not in raw_status(host, path, "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1")


def test_nobody_chooses_the_address_that_guesses_are_counted_for(host: Host) -> None:
    body = "email=nobody%40example.com&password=wrong-wrong-wrong"
    with httpx.Client(
        base_url=f"http://127.0.0.1:{host.ports['nginx']}",
        transport=httpx.HTTPTransport(local_address="127.0.0.2"),
    ) as stranger:
        said = [
            stranger.post(
                "/login",
                content=body,
                headers={
                    "Content-Type": "application/x-www-form-urlencoded",
                    "X-Forwarded-For": f"203.0.113.{guess}",
                },
            ).status_code
            for guess in range(11)
        ]
    assert said == [422] * 10 + [429]


def test_admin_create_makes_someone_who_can_sign_in(host: Host, site: httpx.Client) -> None:
    made = subprocess.run(
        [str(ROOT / ".venv/bin/limber"), "admin", "create", "owner@example.com", "--name", "Owner"],
        env=host.environment | {"LIMBER_ADMIN_PASSWORD": "a long enough sentence"},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert made.returncode == 0, made.stderr
    answer = site.post(
        "/login", data={"email": "owner@example.com", "password": "a long enough sentence", "next": "/studio"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/studio")
    assert site.get("/studio", headers={"Accept": "text/html"}).status_code == 200


@pytest.mark.parametrize(
    ("edge_key", "edge"), [("", "asks about each token"), ("x" * 32, "verifies the tokens of many viewers")]
)
def test_the_doctor_says_in_words_what_is_missing(host: Host, edge_key: str, edge: str) -> None:
    said = subprocess.run(
        [str(ROOT / ".venv/bin/limber"), "doctor"],
        env=host.environment | {"LIMBER_EDGE_KEY": edge_key},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert said.returncode == 1
    lines = {line.split()[1]: line for line in said.stdout.splitlines()}
    assert lines["database"].startswith("ok")
    assert lines["worker"].startswith("ok")
    assert lines["address"].startswith("must")
    assert lines["mail"].startswith("must")
    assert "buying is switched off" in lines["stripe"]
    assert edge in lines["edge"]


def test_the_doctor_refuses_weak_secrets_in_a_sentence(host: Host) -> None:
    said = subprocess.run(
        [str(ROOT / ".venv/bin/limber"), "doctor"],
        env=host.environment | {"LIMBER_MEDIA_KEYS": "k1:short"},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert said.returncode == 1
    assert "LIMBER_MEDIA_KEYS" in said.stderr


def test_the_example_environment_names_only_settings_that_exist() -> None:
    known = {
        field.validation_alias or f"LIMBER_{name.upper()}" for name, field in Settings.model_fields.items()
    }
    known |= {"POSTGRES_PASSWORD", "LIMBER_NGINX"}
    named = {
        line.partition("=")[0]
        for line in (ROOT / "deploy/env.example").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    }
    assert named <= known


def test_the_image_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    last = max(i for i, line in enumerate(lines) if line.startswith("FROM"))
    users = [line for line in lines[last:] if line.startswith("USER")]
    assert users == ["USER limber"]


def test_every_file_that_compose_mounts_exists() -> None:
    for service in compose()["services"].values():
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0] if not mount.startswith("./deploy/nginx/$") else None
            if source and source.startswith("./"):
                assert (ROOT / source).exists(), source
    for kind in ("http", "https"):
        assert (ROOT / f"deploy/nginx/{kind}.conf.template").exists()


def test_the_edges_entrypoint_fills_the_template_in(tmp_path: Path) -> None:
    """As bench/front_door.py does, whose nginx the other tests ask."""
    (tmp_path / "templates").mkdir()
    template = (SHIPPED / "https.conf.template").read_text("utf-8")
    (tmp_path / "templates/default.conf.template").write_text(template)
    values = {key: str(value) for key, value in compose()["services"]["nginx"]["environment"].items()}
    values |= {"LIMBER_NGINX_ANSWERS": IN_FILES, "LIMBER_NGINX_MEDIA_MAX": "1g"}
    said = subprocess.run(
        [str(SHIPPED / "entrypoint.sh"), str(tmp_path), "echo", "started"],
        env=values | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "started\n"
    assert (tmp_path / "conf.d/default.conf").read_text() == with_values(template, values)


def test_the_database_survives_two_migrations_at_once(host: Host) -> None:
    both = [
        subprocess.Popen([str(ROOT / ".venv/bin/limber"), "migrate"], env=host.environment, cwd=ROOT)
        for _ in range(2)
    ]
    assert [process.wait(60) for process in both] == [0, 0]
    with psycopg.connect(host.environment["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
