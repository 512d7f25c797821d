"""The mails that wait for a worker, read from the durable work as it was written."""

import json
from typing import Any

from sqlalchemy import text

from app import db

_WAITING = text(
    "SELECT i.inputs FROM dbos.workflow_status s JOIN dbos.workflow_input i USING (workflow_uuid)"
    " WHERE s.name = 'send_mail' ORDER BY s.created_at, s.workflow_uuid"
)


async def letters() -> list[dict[str, Any]]:
    """What `send_mail` gets ({template, to, context}), in the order in which it was asked for."""
    async with db.transaction() as session:
        return [json.loads(row)["namedArgs"] for row in await session.scalars(_WAITING)]


def token_of(letter: dict[str, Any]) -> str:
    """The token of the letter's link."""
    return str(letter["context"]["url"]).partition("token=")[2]
