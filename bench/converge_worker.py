"""Loaded once by the process from which `converge` forks its workers, so that a killed one is replaced at once."""

from app import worker

worker.register_handlers()
