"""The demo: the whole business in small, on one machine, started by one command."""
