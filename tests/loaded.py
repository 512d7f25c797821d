"""Loads what a web process and a worker load, and lets FastAPI prepare its routes, in the process that is forked for
each of them (tests/forked.py). Nothing of its settings stays."""

import app.cli
import app.web.media_question
import app.worker
from app.main import served
from app.settings import get_settings

app.worker.register_handlers()
served()
get_settings.cache_clear()
