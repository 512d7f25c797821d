"""The house keeps its shape: what import-linter cannot see is looked for in the text and in the route table."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import application
from tests.routes import walk

ROOT = Path(__file__).resolve().parent.parent
LOCKS = [
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-uv.txt",
    "requirements-node.txt",
    "package-lock.json",
]
FORBIDDEN_NAMES = {"service", "services", "utils", "util", "helpers", "helper", "common", "misc", "manager"}


def tracked(*suffixes: str) -> list[Path]:
    """Files that git knows, or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = [ROOT / line for line in listed.splitlines() if line.endswith(suffixes or ("",))]
    return [path for path in paths if path.is_file()]


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def test_no_file_is_called_for_nothing() -> None:
    found = [path for path in sources("app", "sandbox", "bench", "tests") if path.stem in FORBIDDEN_NAMES]
    assert found == []


def test_only_db_and_worker_commit() -> None:
    allowed = {ROOT / "app/db.py", ROOT / "app/worker.py"}
    found = [path for path in sources("app") if path not in allowed and ".commit(" in path.read_text("utf-8")]
    assert found == []


def test_only_settings_reads_the_environment() -> None:
    # The supervisor, the rehearsal and the command line hand an environment on to programs; ffmpeg gets a bare one.
    allowed = {
        "app/settings.py",
        "app/demo/supervisor.py",
        "app/demo/rehearsal_stage.py",
        "app/cli/opening.py",
    }
    found = [
        str(path.relative_to(ROOT))
        for path in sources("app")
        if re.search(r"os\.(environ|getenv)", path.read_text("utf-8"))
    ]
    assert set(found) <= allowed


def test_only_ffmpeg_the_demo_rehearsals_and_imports_start_programs() -> None:
    allowed = {
        "app/video/bounded.py",
        "app/video/leash.py",
        "app/demo/processes.py",
        "app/billing/rehearsals.py",
        "app/moving/run_work.py",
    }
    pattern = re.compile(r"\bsubprocess\.(run|Popen|call|check_)|create_subprocess_|os\.(system|exec|spawn)")
    found = {
        str(path.relative_to(ROOT)) for path in sources("app") if pattern.search(path.read_text("utf-8"))
    }
    assert found <= allowed


def test_which_articles_are_shown_is_said_in_one_place() -> None:
    """A query that asks for the state alone would show articles before their day."""
    pattern = re.compile(r"""Article\.state\s*==\s*["']published|article\.state = 'published'""")
    found = {
        str(path.relative_to(ROOT)) for path in sources("app") if pattern.search(path.read_text("utf-8"))
    }
    assert found == {"app/articles/shown.py"}


def test_the_session_dependency_has_one_spelling() -> None:
    found = [
        path
        for path in sources("app")
        if path.name != "db.py" and "Depends(session" in path.read_text("utf-8")
    ]
    assert found == []


def test_web_holds_no_sql() -> None:
    pattern = re.compile(r"\b(select|insert|update|delete|text)\(")
    exceptions = {ROOT / "app/web/ops.py"}  # readiness asks the database itself
    found = []
    for path in sources("app/web"):
        tree = ast.parse(path.read_text("utf-8"))
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
            for alias in node.names
        }
        if path not in exceptions and pattern.search(" ".join(f"{name}(" for name in imported)):
            found.append(path)
    assert found == []


def test_every_jose_decode_names_its_algorithm() -> None:
    for path in sources("app"):
        for call in re.findall(r"jwt\.decode\((?:[^()]|\([^()]*\))*\)", path.read_text("utf-8")):
            assert 'algorithms=["HS256"]' in call or "algorithms=[ALGORITHM]" in call, path


def test_every_route_declares_one_permission() -> None:
    assert [walked.path for walked in walk(application()) if len(set(walked.permissions)) != 1] == []


def test_models_and_migrations_agree(worker_database_url: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["database_url"] = worker_database_url
    command.check(config)


def test_migrations_never_import_the_application() -> None:
    for path in (ROOT / "migrations/versions").glob("*.py"):
        assert not re.search(r"^\s*(from|import) app\b", path.read_text("utf-8"), re.MULTILINE), path


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_carry_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "sha256:" in text or "sha512-" in text
    if name == "package-lock.json":
        assert '"resolved"' not in text
    else:
        assert "://" not in text
        for block in re.split(r"\n(?=\S)", text):
            assert "==" not in block or "--hash=" in block, block[:80]


def test_nothing_tells_of_a_machine() -> None:
    """No absolute path of a home folder and no registry host in any tracked text."""
    pattern = re.compile(r"/(?:home|Users|root)/[a-z]|registry\.npmjs|pypi\.org|files\.pythonhosted")
    found = []
    for path in tracked():
        if path == Path(__file__) or path.suffix in {".png", ".jpg", ".woff2", ".mp4"}:
            continue
        text = path.read_text("utf-8", errors="ignore")
        if pattern.search(text):
            found.append(str(path.relative_to(ROOT)))
    assert found == []
