"""All of the sitemap, as a search engine reads it: the index and its parts."""

import re

import httpx

BASE = "https://limber.test"


async def whole_sitemap(client: httpx.AsyncClient) -> str:
    """The text of the index and of every part that it names."""
    index = (await client.get("/sitemap.xml")).text
    parts = [one.removeprefix(BASE) for one in re.findall(r"<loc>([^<]+)</loc>", index)]
    return "\n".join([index, *[(await client.get(part)).text for part in parts]])
