"""The search as SQL. What decides who may find something is asked of its own row, not of the index.

So a draft, an article that was taken back or a transcript behind the wall is never found, however old its document is.
"""

from sqlalchemy import TextClause, text

# What may be found of each kind, and by whom. `:everything`: the reader may watch every lesson that is out.
_SEEN = "s.state <> 'draft' JOIN course c ON c.id = s.course_id AND c.state = 'published'"
_WATCHED = (
    "s.state = 'published' AND (s.available_at IS NULL OR s.available_at <= :now)"
    " AND (s.is_free OR :everything OR s.course_id = ANY(CAST(:courses AS uuid[])))"
    " JOIN course c ON c.id = s.course_id AND c.state = 'published'"
    " JOIN video v ON v.id = s.video_id AND v.version > 0"
)
_SOURCES = (
    (
        "article",
        "NULL::uuid",
        "JOIN article s ON s.id = d.article_id AND s.state = 'published'"
        " AND (s.published_at IS NULL OR s.published_at <= :now)",
    ),
    ("course", "NULL::uuid", "JOIN course s ON s.id = d.course_id AND s.state = 'published'"),
    ("lesson", "s.id", f"JOIN lesson s ON s.id = d.lesson_id AND {_SEEN}"),
    (
        "spoken",
        "s.id",
        f"JOIN caption_track t ON t.id = d.track_id JOIN lesson s ON s.video_id = t.video_id AND {_WATCHED}",
    ),
    ("spoken", "s.id", f"JOIN lesson s ON s.video_id = d.video_id AND {_WATCHED}"),
    # Captions take the place of what was written by hand.
    (
        "spoken",
        "s.id",
        f"JOIN lesson s ON s.id = d.lesson_id AND {_WATCHED}"
        " AND NOT EXISTS (SELECT FROM caption_track t WHERE t.video_id = s.video_id)",
    ),
    ("term", "NULL::uuid", ""),
)
_NAMED, _WHOLE = "d.whole @@ CAST(:named AS tsquery)", "d.whole @@ CAST(:whole AS tsquery)"
_RANK = (
    "ts_rank('{0.1, 0.2, 0.5, 1.0}', d.whole, CAST(:whole AS tsquery), 1)"
    f" + CASE WHEN {_NAMED} THEN 0.5 ELSE 0 END"
    " + CASE WHEN lower(d.title) = :asked OR d.kind = 'term' AND :asked = ANY(string_to_array(lower(d.about), E'\\n'))"
    " THEN 2 ELSE 0 END"
)
_SELECT = (
    "(SELECT d.id, d.kind, {lesson} AS lesson_id, {rank} AS rank FROM search_document d {join}"
    " WHERE d.kind = '{kind}' AND {words} LIMIT :most)"
)


def _found(words: str, rank: str, kinds: tuple[str, ...]) -> str:
    return " UNION ALL ".join(
        _SELECT.format(kind=kind, lesson=lesson, join=join, words=words, rank=rank)
        for kind, lesson, join in _SOURCES
        if kind in kinds
    )


_KINDS = ("article", "course", "lesson", "spoken", "term")
# Of each kind at most `:most` whose name has the words, and as many others: what is ranked does not grow with the
# index. They are ranked where they are found: joined once more, the planner would read the whole index for that.
# Nothing that anybody typed is in the text of these statements.
SEARCH: TextClause = text(
    f"WITH found AS MATERIALIZED (({_found(_NAMED, _RANK, ('article', 'lesson', 'term'))})"  # noqa: S608 (see above)
    f" UNION ({_found(_WHOLE, _RANK, _KINDS)})),"
    " ranked AS (SELECT DISTINCT ON (kind, coalesce(lesson_id::text, id::text)) id, kind, lesson_id, rank"
    " FROM found WHERE :kind = '' OR kind = :kind"
    " ORDER BY kind, coalesce(lesson_id::text, id::text), rank DESC),"
    " counted AS (SELECT kind, count(DISTINCT coalesce(lesson_id::text, id::text)) AS n FROM found GROUP BY kind)"
    " SELECT (SELECT json_object_agg(kind, n) FROM counted) AS counts,"
    " (SELECT json_agg(top ORDER BY rank DESC, id) FROM (SELECT id, kind, lesson_id, rank FROM ranked"
    " ORDER BY rank DESC, id LIMIT :page OFFSET :after) AS top) AS top"
)
# Planning these takes longer than running them, and the plan never changes.
PLAN_ONCE: TextClause = text("SET LOCAL plan_cache_mode = force_generic_plan")
# Whether anything at all is found by each of several questions.
ANYTHING: TextClause = text(
    "SELECT number FROM unnest(CAST(:queries AS text[])) WITH ORDINALITY AS q (query, number)"  # noqa: S608 (see above)
    " WHERE EXISTS (SELECT FROM ("
    + _found("d.whole @@ CAST(q.query AS tsquery)", "0", _KINDS).replace("LIMIT :most", "LIMIT 1")
    + ") AS found)"
)
LEXEMES: TextClause = text(
    "SELECT tsvector_to_array(to_tsvector(CAST(:language AS regconfig), w))"
    " FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS u (w, number) ORDER BY number"
)
# Words that begin so, the short ones first; those that look alike; and for a short one, in which a slip leaves few
# letters alike, all of about its length.
NEAR: TextClause = text(
    "(SELECT word FROM search_word WHERE word LIKE :beginning ORDER BY length(word), word LIMIT 6)"
    " UNION (SELECT word FROM search_word WHERE word % :word ORDER BY similarity(word, :word) DESC, word LIMIT 12)"
    " UNION (SELECT word FROM search_word WHERE length(:word) < 6 AND word LIKE :initial"
    " AND length(word) BETWEEN length(:word) - 1 AND length(:word) + 1 LIMIT 400)"
)
DETAILS: TextClause = text(
    "SELECT w.number, d.id AS document_id, d.kind, d.lead, d.about, d.video_id IS NOT NULL AS is_chapter,"
    " coalesce(a.title, l.title, c.title, t.name) AS title, a.slug AS article, a.is_listed, a.published_at,"
    " c.slug AS course, c.title AS course_title, l.id AS lesson_id, l.slug AS lesson, l.course_id,"
    " l.is_free, l.state AS lesson_state, l.available_at,"
    " coalesce(v.version, 0) > 0 AS has_video, v.duration_s, t.slug AS term, t.kind AS term_kind"
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:lessons AS uuid[])) WITH ORDINALITY AS w (id, lesson_id, number)"
    " JOIN search_document d ON d.id = w.id LEFT JOIN article a ON a.id = d.article_id"
    " LEFT JOIN lesson l ON l.id = w.lesson_id LEFT JOIN course c ON c.id = coalesce(d.course_id, l.course_id)"
    " LEFT JOIN video v ON v.id = l.video_id LEFT JOIN term t ON t.id = d.term_id ORDER BY w.number"
)
# The best passage of each document.
PASSAGES: TextClause = text(
    "SELECT w.id, p.words, p.at_s, p.anchor, p.marks FROM unnest(CAST(:ids AS bigint[])) AS w (id)"
    " CROSS JOIN LATERAL (SELECT * FROM search_passage p WHERE p.document_id = w.id"
    " AND p.lexemes @@ CAST(:any AS tsquery)"
    " ORDER BY ts_rank(p.lexemes, CAST(:any AS tsquery)) DESC, p.position LIMIT 1) AS p"
)
HEADLINES: TextClause = text(
    "SELECT ts_headline(CAST(:language AS regconfig), w, CAST(:any AS tsquery), :options)"
    " FROM unnest(CAST(:texts AS text[])) WITH ORDINALITY AS u (w, number) ORDER BY number"
)
