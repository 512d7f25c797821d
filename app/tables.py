"""Every table, imported once so that metadata is whole: for migrations, and for work that deletes across domains."""

import app.access.models
import app.accounts.models
import app.articles.models
import app.billing.models
import app.billing.notice_models
import app.billing.plan_models
import app.billing.rehearsal_models
import app.catalog.models
import app.earning.models
import app.finding.models
import app.indexing.models
import app.jobs.models
import app.moving.models
import app.playback.models
import app.practice.models
import app.video.captions_models
import app.video.clip_models
import app.video.models
import app.waiting.models  # noqa: F401
from app.db import Base

metadata = Base.metadata
