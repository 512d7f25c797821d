"""Stripe's own CLI, a development dependency from npm, sent to the stand-in.

Source: https://docs.stripe.com/cli/trigger
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

KEY = "sk_test_limber123"
# The one build of it that is locked here.
IS_THERE = sys.platform == "linux" and platform.machine() == "x86_64"
MODULES = Path(__file__).resolve().parent / "cli" / "node_modules" / "@stripe"


def official_cli() -> str:
    """The CLI's own binary for this machine, as npm put it."""
    found = sorted(MODULES.glob("cli-*/bin/stripe"))
    assert found, "npm ci installs Stripe's CLI among the development dependencies"
    return str(found[0])


def trigger(script: str, api_base: str, home: Path) -> tuple[int, str]:
    """Run one of the CLI's scripts; gives its exit status and what it printed."""
    # Nothing here may wait for a network: the look for new versions goes to a port where nobody listens.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
        "STRIPE_NO_AUTO_UPDATE": "1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }
    command = [official_cli(), "trigger", script, "--api-base", api_base, "--api-key", KEY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr
