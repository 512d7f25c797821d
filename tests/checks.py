"""`make lint`: ruff, mypy, tsc and import-linter side by side; prints what each finds, fails when one does."""

import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
CHECKS = {
    "ruff": [str(BIN / "ruff"), "check", "--quiet"],
    "ruff format": [str(BIN / "ruff"), "format", "--check", "--quiet"],
    "mypy": [str(BIN / "mypy"), "--no-error-summary"],
    "front end": ["npm", "run", "--silent", "check"],
    "import-linter": [str(BIN / "lint-imports")],
}


def main() -> int:
    """Run every check to its end; 1 when any fails."""
    running = {
        name: subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for name, command in CHECKS.items()
    }
    failed = []
    for name, process in running.items():
        output, _none = process.communicate()
        if process.returncode:
            failed.append(name)
            sys.stdout.write(f"--- {name}\n{output}\n")
    sys.stdout.write(f"checks: {len(running) - len(failed)} passed, {len(failed)} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
