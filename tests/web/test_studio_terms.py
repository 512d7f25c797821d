"""The studio's muscles and conditions: written, renamed, said of articles and lessons, deleted; by staff only."""

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import AuditEntry
from app.finding.models import Term
from tests import factories
from tests.articles.forms import words_of
from tests.finding.scene import Scene, make

SENT = {
    "kind": "muscle",
    "name": " Psoas ",
    "synonyms": "hip flexor\r\n\r\n hip flexor \r\niliopsoas",
    "summary": "It lifts the thigh.",
    "body_md": "Sitting keeps it *short*. <script>x</script>",
    "regions": ["hip", "moon"],
}


@pytest.fixture
async def scene(client: httpx.AsyncClient) -> Scene:
    async with db.transaction() as session:
        found = await make(session)
        teacher = await factories.staff(session)
    await factories.sign_in(client, teacher)
    return found


async def _the(name: str) -> Term:
    async with db.transaction() as session:
        return (await session.scalars(select(Term).where(Term.name == name))).one()


async def test_a_muscle_is_written_and_found_at_once(client: httpx.AsyncClient, scene: Scene) -> None:
    sent = {**SENT, "lessons": [str(scene.free.id), "x"], "articles": [str(scene.article.id)]}
    answer = await client.post("/studio/body", data=sent)
    term = await _the("Psoas")
    assert answer.headers["location"] == f"/studio/body/{term.id}?did=create"
    assert (term.slug, term.synonyms) == ("psoas", "hip flexor\niliopsoas")
    page = (await client.get("/muscles/psoas")).text
    assert "<em>short</em>" in page
    assert "<script>x" not in page
    assert "Hamstrings with a strap" in page
    found = (await client.get("/search?q=iliopsoas")).text
    for url in ("/muscles/psoas", "/courses/lower-body/hamstrings", "/articles/hip-pain-from-running"):
        assert f'href="{url}"' in found
    form = (await client.get(f"/studio/body/{term.id}")).text
    assert form.count("checked") == 4


async def test_a_new_address_takes_the_old_one_along(client: httpx.AsyncClient, scene: Scene) -> None:
    address = f"/studio/body/{scene.term.id}"
    sent = {"kind": "condition", "name": "Ischias", "slug": "ischias-pain"}
    assert (await client.post(address, data=sent)).status_code == 303
    assert (await client.get("/conditions/sciatica")).headers["location"] == "/conditions/ischias-pain"
    # Nothing was ticked: it is said of nothing any more.
    assert "Deep rotators" not in (await client.get("/conditions/ischias-pain")).text


async def test_faults_stand_beside_their_fields_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    answer = await client.post("/studio/body", data={**SENT, "slug": "sciatica"})
    assert answer.status_code == 422
    assert "“Sciatica” has this address already." in words_of(answer.text)
    assert "iliopsoas" in answer.text
    assert (await client.post("/studio/body", data={"kind": "bone"})).status_code == 422
    answer = await client.post(f"/studio/body/{scene.term.id}", data={"name": "x" * 200, "kind": "muscle"})
    assert answer.status_code == 422


async def test_it_is_deleted_and_what_helped_stays(client: httpx.AsyncClient, scene: Scene) -> None:
    answer = await client.post(f"/studio/body/{scene.term.id}/delete")
    assert answer.headers["location"] == "/studio/body?did=delete"
    assert (await client.get("/conditions/sciatica")).status_code == 404
    assert (await client.get("/articles/hip-pain-from-running")).status_code == 200
    assert (
        "/articles/" not in (await client.get("/search?q=ischias")).text.split("<main")[1].split("</main")[0]
    )
    async with db.transaction() as session:
        deeds = set(await session.scalars(select(AuditEntry.action)))
    assert {"term.create", "term.delete"} <= deeds


async def test_the_editors_of_articles_and_lessons_say_what_they_are_about(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    address = f"/studio/articles/{scene.article.id}"
    assert f'value="{scene.term.id}" checked' in (await client.get(address)).text
    sent = {"title": "Hips", "slug": "hip-pain-from-running", "summary": "About.", "body_md": "Words."}
    assert (await client.post(address, data=sent)).status_code == 303
    assert "Hips" not in (await client.get("/conditions/sciatica")).text
    await client.post(address, data={**sent, "terms": [str(scene.term.id), "x"]})
    assert "Hips" in (await client.get("/conditions/sciatica")).text
    address = f"/studio/courses/{scene.course.id}/lessons/{scene.free.id}"
    page = (await client.get(address)).text
    assert f'value="{scene.term.id}"' in page
    lesson = {
        "title": "Strap",
        "section_id": str(scene.free.section_id),
        "video_id": str(scene.free.video_id),
    }
    answer = await client.post(address, data={**lesson, "terms": [str(scene.term.id)]})
    assert answer.status_code == 303
    assert "Strap" in (await client.get("/conditions/sciatica")).text


@pytest.mark.parametrize("path", ["", "/new", "/{id}"])
async def test_only_staff_see_them(client: httpx.AsyncClient, scene: Scene, path: str) -> None:
    at = f"/studio/body{path.format(id=scene.term.id)}"
    assert (await client.get(at)).status_code == 200
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.get(at)).status_code == 403
    for post in ("/studio/body", f"/studio/body/{scene.term.id}", f"/studio/body/{scene.term.id}/delete"):
        assert (await client.post(post, data=SENT)).status_code == 403
    client.cookies.clear()
    assert (await client.get(at)).status_code in (303, 401)
