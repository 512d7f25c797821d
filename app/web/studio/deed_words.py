"""The trail of staff actions in words: one sentence for each action that any domain records."""

from collections import defaultdict

from app.accounts.models import AuditEntry
from app.i18n import N_, _

SENTENCES = {
    "article.create": N_("began the article “%(title)s”"),
    "article.save": N_("edited the article “%(title)s”"),
    "article.restore": N_("brought an earlier text of the article “%(title)s” back"),
    "article.publish": N_("published the article “%(title)s”"),
    "article.schedule": N_("scheduled the article “%(title)s”"),
    "article.unpublish": N_("took the article “%(title)s” back to a draft"),
    "article.delete": N_("deleted the article “%(title)s”"),
    "response.approve": N_("approved a response"),
    "response.spam": N_("marked a response as spam"),
    "response.remove": N_("removed a response"),
    "response.hold": N_("held a response back"),
    "response.undo": N_("took back a decision on a response"),
    "response.reply": N_("answered a response"),
    "response.ban": N_("banned somebody from responding"),
    "response.unban": N_("lifted a ban on responding"),
    "series.create": N_("began the series “%(title)s”"),
    "series.save": N_("changed the series “%(title)s”"),
    "series.arrange": N_("arranged the series “%(title)s”"),
    "series.delete": N_("deleted the series “%(title)s”"),
    "topic.create": N_("announced “%(title)s”"),
    "topic.save": N_("changed what is announced as “%(title)s”"),
    "topic.delete": N_("took the announcement of “%(title)s” away"),
    "topic.ask": N_("had %(count)s addresses asked that may be programs’, about “%(title)s”"),
    "topic.drop": N_("forgot %(count)s addresses that may be programs’, about “%(title)s”"),
    "import.wordpress": N_("imported the WordPress site %(site)s"),
    "import.look": N_("sent the WordPress export %(name)s"),
    "import.start": N_("began to import %(name)s"),
    "import.forget": N_("put away the import of %(name)s"),
    "import.members": N_("imported %(count)s members"),
    "archive.export": N_("took the whole site into an archive"),
    "archive.restore": N_("brought the site back from an archive of %(made_at)s"),
    "message.handle": N_("marked a message as dealt with"),
    "message.reopen": N_("opened a message again"),
    "practice.save": N_("changed the practice’s settings"),
    "location.create": N_("added the address in %(city)s"),
    "location.save": N_("changed the address in %(city)s"),
    "location.delete": N_("deleted the address in %(city)s"),
    "location.move": N_("moved the address in %(city)s in the list"),
    "video.upload": N_("uploaded “%(filename)s”"),
    "video.rename": N_("named a video “%(title)s”"),
    "video.retry": N_("had the video “%(title)s” encoded again"),
    "video.stop": N_("stopped the encoding of “%(title)s”"),
    "video.poster": N_("chose another poster for “%(title)s”"),
    "video.poster_own": N_("uploaded a picture as the poster of “%(title)s”"),
    "video.poster_remove": N_("took the uploaded poster of “%(title)s” away"),
    "video.delete": N_("deleted the video “%(title)s”"),
    "captions.draft": N_("had captions of “%(title)s” written from the speech (%(language)s)"),
    "captions.add": N_("added captions to “%(title)s” (%(language)s)"),
    "captions.edit": N_("edited the captions of “%(title)s” (%(language)s)"),
    "captions.delete": N_("deleted captions of “%(title)s” (%(language)s)"),
    "clip.create": N_("had the free clip “%(title)s” cut"),
    "clip.delete": N_("deleted the free clip “%(title)s”"),
    "chapters.save": N_("changed the chapters of “%(title)s”"),
    "course.create": N_("began the course “%(title)s”"),
    "course.edit": N_("edited the course “%(title)s”"),
    "course.publish": N_("published the course “%(title)s”"),
    "course.unpublish": N_("took the course “%(title)s” back to a draft"),
    "course.move": N_("moved the course “%(title)s” in the list"),
    "course.delete": N_("deleted the course “%(title)s”"),
    "section.create": N_("added the section “%(title)s”"),
    "section.rename": N_("named a section “%(title)s”"),
    "section.move": N_("moved the section “%(title)s”"),
    "section.delete": N_("deleted the section “%(title)s”"),
    "lesson.create": N_("began the lesson “%(title)s”"),
    "lesson.edit": N_("edited the lesson “%(title)s”"),
    "lesson.publish": N_("published the lesson “%(title)s”"),
    "lesson.announce": N_("announced the lesson “%(title)s”"),
    "lesson.unpublish": N_("took the lesson “%(title)s” back to a draft"),
    "lesson.move": N_("moved the lesson “%(title)s”"),
    "lesson.delete": N_("deleted the lesson “%(title)s”"),
    "term.create": N_("added “%(name)s” to the muscles and conditions"),
    "term.save": N_("changed what is written about “%(name)s”"),
    "term.delete": N_("deleted “%(name)s” from the muscles and conditions"),
    "plan.create": N_("added the plan “%(slug)s”"),
    "plan.edit": N_("changed a plan"),
    "plan.offer": N_("put a plan on sale"),
    "plan.move_price": N_("began to move a plan’s members to its new price"),
    "plan.stop_move": N_("called off moving a plan’s members to its new price"),
    "plan.withdraw": N_("took a plan off sale"),
    "payment.refund": N_("gave money back to %(name)s"),
    "member.ban": N_("closed the account of %(name)s"),
    "member.unban": N_("opened the account of %(name)s again"),
    "member.sign_out": N_("logged %(name)s out everywhere"),
    "spread.dismiss": N_("found it fine from how many networks %(name)s watches"),
    "entitlement.give": N_("gave %(name)s a right to watch"),
    "entitlement.take": N_("took a right to watch from %(name)s"),
    "practice.look": N_("changed how the site looks"),
    "staff.create": N_("made %(name)s a member of staff"),
    "staff.promote": N_("made %(name)s a member of staff"),
}
PLACES = {
    "article": "/studio/articles/{id}",
    "course": "/studio/courses/{id}",
    "lesson": "/studio/courses/{course_id}/lessons/{id}",
    "video": "/studio/videos/{id}",
    "member": "/studio/members/{id}",
    "message": "/studio/messages",
    "response": "/studio/responses",
    "ban": "/studio/responses/bans",
    "series": "/studio/series/{id}",
    "topic": "/studio/waiting/{id}",
    "term": "/studio/body/{id}",
    "plan": "/studio/plans",
    "practice": "/studio/settings",
    "location": "/studio/settings",
    "look": "/studio/look",
}


def deed(entry: AuditEntry) -> str:
    """What was done, to stand after its actor's name; an unknown action is shown as it was recorded."""
    sentence = SENTENCES.get(entry.action)
    if sentence is None:
        return entry.action
    known: defaultdict[str, object] = defaultdict(lambda: "…", entry.detail)
    return _(sentence) % known


def place(entry: AuditEntry) -> str | None:
    """Where the subject can be seen; None where it is gone or has no page."""
    if entry.action.endswith(".delete"):
        return None
    pattern = PLACES.get(entry.subject_kind)
    if pattern is None or ("{course_id}" in pattern and "course_id" not in entry.detail):
        return None
    return pattern.format(id=entry.subject_id, course_id=entry.detail.get("course_id"))
