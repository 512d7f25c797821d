"""Writes WordPress exports as WordPress and its plugins write them; nothing here is of a real site."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SITE = "https://old.example.com"
STAMP = "2019-05-04 10:20:30"


def cdata(text: str) -> str:
    """As wxr_cdata() writes it."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def _meta(key: str, value: str) -> str:
    return f"""
		<wp:postmeta>
			<wp:meta_key>{cdata(key)}</wp:meta_key>
			<wp:meta_value>{cdata(value)}</wp:meta_value>
		</wp:postmeta>"""


@dataclass
class Comment:
    id: int
    body: str = "Thank you."
    parent: int = 0
    name: str = "Ann"
    email: str = "ann@example.com"
    approved: str = "1"
    kind: str = "comment"
    user_id: int = 0
    at: str = STAMP

    def xml(self) -> str:
        return f"""
		<wp:comment>
			<wp:comment_id>{self.id}</wp:comment_id>
			<wp:comment_author>{cdata(self.name)}</wp:comment_author>
			<wp:comment_author_email>{cdata(self.email)}</wp:comment_author_email>
			<wp:comment_author_url>http://ann.example.com</wp:comment_author_url>
			<wp:comment_author_IP>{cdata("203.0.113.9")}</wp:comment_author_IP>
			<wp:comment_date>{cdata(self.at)}</wp:comment_date>
			<wp:comment_date_gmt>{cdata(self.at)}</wp:comment_date_gmt>
			<wp:comment_content>{cdata(self.body)}</wp:comment_content>
			<wp:comment_approved>{cdata(self.approved)}</wp:comment_approved>
			<wp:comment_type>{cdata(self.kind)}</wp:comment_type>
			<wp:comment_parent>{self.parent}</wp:comment_parent>
			<wp:comment_user_id>{self.user_id}</wp:comment_user_id>
			<wp:commentmeta>
				<wp:meta_key>{cdata("akismet_result")}</wp:meta_key>
				<wp:meta_value>{cdata("false")}</wp:meta_value>
			</wp:commentmeta>
		</wp:comment>"""


@dataclass
class Item:
    """`terms`: (taxonomy, slug, name). `raw`: XML put at the item's end as it is."""

    id: int
    title: str = "Hip pain"
    body: str = "Words."
    kind: str = "post"
    status: str = "publish"
    slug: str | None = None
    link: str | None = None
    parent: int = 0
    creator: str = "eva"
    excerpt: str = ""
    password: str = ""
    url: str = ""
    sticky: int = 0
    order: int = 0
    comment_status: str = "open"
    gmt: str = STAMP
    local: str = STAMP
    modified: str = ""
    terms: Sequence[tuple[str, str, str]] = ()
    meta: Sequence[tuple[str, str]] = ()
    comments: Sequence[Comment] = ()
    meta_first: bool = True
    raw: str = ""

    def xml(self) -> str:
        slug = f"post-{self.id}" if self.slug is None else self.slug
        link = self.link or (f"{SITE}/2019/05/{slug}/" if slug else f"{SITE}/?p={self.id}")
        modified = (
            f"\n\t\t<wp:post_modified_gmt>{cdata(self.modified)}</wp:post_modified_gmt>"
            if self.modified
            else ""
        )
        meta = "".join(_meta(key, value) for key, value in self.meta)
        comments = "".join(comment.xml() for comment in self.comments)
        terms = "".join(
            f'\n\t\t<category domain="{domain}" nicename="{slug}">{cdata(name)}</category>'
            for domain, slug, name in self.terms
        )
        rest = meta + comments if self.meta_first else comments + meta
        url = f"\n\t\t<wp:attachment_url>{cdata(self.url)}</wp:attachment_url>" if self.url else ""
        return f"""
	<item>
		<title>{cdata(self.title)}</title>
		<link>{link}</link>
		<pubDate>Sat, 04 May 2019 10:20:30 +0000</pubDate>
		<dc:creator>{cdata(self.creator)}</dc:creator>
		<guid isPermaLink="false">{SITE}/?p={self.id}</guid>
		<description></description>
		<content:encoded>{cdata(self.body)}</content:encoded>
		<excerpt:encoded>{cdata(self.excerpt)}</excerpt:encoded>
		<wp:post_id>{self.id}</wp:post_id>
		<wp:post_date>{cdata(self.local)}</wp:post_date>
		<wp:post_date_gmt>{cdata(self.gmt)}</wp:post_date_gmt>{modified}
		<wp:comment_status>{cdata(self.comment_status)}</wp:comment_status>
		<wp:ping_status>{cdata("open")}</wp:ping_status>
		<wp:post_name>{cdata(slug)}</wp:post_name>
		<wp:status>{cdata(self.status)}</wp:status>
		<wp:post_parent>{self.parent}</wp:post_parent>
		<wp:menu_order>{self.order}</wp:menu_order>
		<wp:post_type>{cdata(self.kind)}</wp:post_type>
		<wp:post_password>{cdata(self.password)}</wp:post_password>
		<wp:is_sticky>{self.sticky}</wp:is_sticky>{url}{terms}{rest}{self.raw}
	</item>"""


def picture(item_id: int, upload: str, *, alt: str = "", caption: str = "", parent: int = 0) -> Item:
    """An attachment whose file lies at `upload` below wp-content/uploads."""
    meta = [
        ("_wp_attached_file", upload),
        ("_wp_attachment_metadata", 'a:2:{s:5:"width";i:640;s:4:"file";s:1:"x";}'),
    ]
    if alt:
        meta.append(("_wp_attachment_image_alt", alt))
    return Item(
        item_id,
        title=upload.rsplit("/", 1)[-1],
        body="",
        kind="attachment",
        status="inherit",
        parent=parent,
        excerpt=caption,
        url=f"{SITE}/wp-content/uploads/{upload}",
        link=f"{SITE}/?attachment_id={item_id}",
        meta=meta,
    )


@dataclass
class Export:
    items: Sequence[Item] = ()
    authors: Sequence[tuple[int, str, str, str]] = ((1, "eva", "eva@example.com", "Eva"),)
    terms: Sequence[tuple[str, str, str]] = ()
    version: str = "1.2"
    head: str = '<?xml version="1.0" encoding="UTF-8" ?>'
    site: str = SITE
    tail: str = "\n</channel>\n</rss>\n"
    extra: str = field(default="")

    def pieces(self, items: Iterable[Item] | None = None) -> Iterator[str]:
        yield f"""{self.head}
<!-- This is a WordPress eXtended RSS file generated by WordPress as an export of your site. -->
<!-- generator="WordPress/6.5" created="2024-01-01 00:00" -->
<rss version="2.0"
	xmlns:excerpt="http://wordpress.org/export/{self.version}/excerpt/"
	xmlns:content="http://purl.org/rss/1.0/modules/content/"
	xmlns:dc="http://purl.org/dc/elements/1.1/"
	xmlns:wp="http://wordpress.org/export/{self.version}/"
>
<channel>
	<title>Eva moves</title>
	<link>{self.site}</link>
	<description>Movement</description>
	<language>en-US</language>
	<wp:wxr_version>{self.version}</wp:wxr_version>
	<wp:base_site_url>{self.site}</wp:base_site_url>
	<wp:base_blog_url>{self.site}</wp:base_blog_url>
"""
        for number, login, email, name in self.authors:
            yield (
                f"	<wp:author><wp:author_id>{number}</wp:author_id><wp:author_login>{cdata(login)}</wp:author_login>"
                f"<wp:author_email>{cdata(email)}</wp:author_email>"
                f"<wp:author_display_name>{cdata(name)}</wp:author_display_name></wp:author>\n"
            )
        for number, (taxonomy, slug, name) in enumerate(self.terms, 2):
            yield _term(number, taxonomy, slug, name)
        yield "	<generator>https://wordpress.org/?v=6.5</generator>\n"
        yield self.extra
        for item in self.items if items is None else items:
            yield item.xml()
        yield self.tail

    def text(self) -> str:
        return "".join(self.pieces())

    def write(self, folder: Path, name: str = "export.xml") -> Path:
        path = folder / name
        path.write_text(self.text(), encoding="utf-8")
        return path


def _term(number: int, taxonomy: str, slug: str, name: str) -> str:
    if taxonomy == "category":
        return (
            f"	<wp:category><wp:term_id>{number}</wp:term_id>"
            f"<wp:category_nicename>{cdata(slug)}</wp:category_nicename>"
            f"<wp:category_parent></wp:category_parent><wp:cat_name>{cdata(name)}</wp:cat_name></wp:category>\n"
        )
    if taxonomy == "post_tag":
        return (
            f"	<wp:tag><wp:term_id>{number}</wp:term_id><wp:tag_slug>{cdata(slug)}</wp:tag_slug>"
            f"<wp:tag_name>{cdata(name)}</wp:tag_name></wp:tag>\n"
        )
    return (
        f"	<wp:term><wp:term_id>{number}</wp:term_id><wp:term_taxonomy>{cdata(taxonomy)}</wp:term_taxonomy>"
        f"<wp:term_slug>{cdata(slug)}</wp:term_slug><wp:term_parent></wp:term_parent>"
        f"<wp:term_name>{cdata(name)}</wp:term_name></wp:term>\n"
    )
