"""The words that lie in every archive and explain it to whoever opens it, years later and without Limber."""

from collections.abc import Mapping

WORDS = """\
# %(site)s

Everything that the site %(address)s held on %(day)s, written by `limber export` (format %(format)d). It is a plain tar
file: unpack it with a double click, or with `tar -xf FILE`. `sha256sum -c SHA256SUMS`, run in this folder, says whether
anything was damaged on the way.

**Keep it as you would keep the site's database.** It holds names, e-mail addresses, messages and %(passwords)s.

## To have the site again

On an empty server: `limber restore FILE`. It checks all of the file first, says what it will do, and then does it whole
or not at all. %(streams)s

Not in here, because they belong to the server and not to the site: its settings, Stripe's keys, the mail server's
password. Take `LIMBER_LINK_KEYS` over, or links in mails that were sent (gifts that nobody has claimed yet, ends of
notifications) stop working. Everybody signs in once again.

## What is where

| file | what it is |
|---|---|
| `articles/*.md` | articles, in Markdown, each under a head that says its address, dates, tags and what belongs to it |
| `courses/*.md`, `courses/*/*.md` | courses and their lessons, in the same form |
| `captions/*.vtt` | what is said in the films: the film's id, the language |
| `media/sources/` | films as they were uploaded |
| `media/articles/` | pictures and hand-outs; `/pictures/ab12….jpg` in a text is `media/articles/ab/ab12….jpg` |
| `media/videos/` | posters that the teacher chose (`own/`), and streams where they are included |
| `members.csv` | people, with their Stripe customer and until when they may watch; a copy for reading |
| `tables/*.jsonl` | everything exactly, a line of JSON for each row; restoring reads it, the texts and `media/` |
| `tables/contents.json` | columns and number of rows of each table |
| `limber.json` | when, by which Limber, with what |
| `SHA256SUMS` | the sum of every file |

A text that is a file stands only there: its row names the file (`body_md_file`). The heads of the Markdown files repeat
for people what the rows say.

The main tables: `user_account` (people), `entitlement` and `entitlement_entry` (rights to watch, and the ledger of each
change to them), `stripe_customer`, `stripe_subscription`, `stripe_purchase`, `stripe_charge` (what Stripe said, by its
own ids), `plan` and `plan_price` (with theirs), `gift`, `comment` (responses: `parent_id` makes the threads, `state`
says whether they are shown), `progress` (where each member stopped), `topic_waiting` and `comment_follow` (who waits
for what), `contact_message`, `old_address` (former addresses, and where they lead), `practice`, `location` and
`audit_entry` (what staff did).

## What is not in here

%(left_out)s
- work that was waiting at that moment, such as mails that were about to be sent
%(missing)s"""


def words(
    *,
    site: str,
    address: str,
    day: str,
    format_number: int,
    with_streams: bool,
    with_passwords: bool,
    left_out: Mapping[str, str],
    missing: list[str],
) -> bytes:
    """The README of one archive. `missing`: files that the database names and the storage had not."""
    told = {
        "site": site,
        "address": address,
        "day": day,
        "format": format_number,
        "passwords": "passwords in scrambled form (Argon2), so that members go on signing in"
        if with_passwords
        else "no passwords: members choose a new one by “forgotten password”",
        "streams": "Its films play at once: their streams are in here."
        if with_streams
        else "Its films are then encoded anew from the originals, which takes a while; all else is there at once.",
        "left_out": "\n".join(f"- `{table}`: {why}" for table, why in left_out.items()),
        "missing": "\n".join(
            ["", "## What the storage did not have", "", *(f"- `{key}`" for key in missing), ""]
            if missing
            else []
        ),
    }
    return (WORDS % told).encode()
