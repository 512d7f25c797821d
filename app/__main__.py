"""`python -m app` is the `limber` command."""

from app.cli import main

main()
