"""Tables of HTML: which cells are a table's own, and whether Markdown's tables can say them. Pure."""

import re

from selectolax.lexbor import LexborNode

from app.moving.nodes import children


def cells_of(table: LexborNode) -> list[list[LexborNode]]:
    """The table's own cells, row by row; empty rows and the rows of tables within it are none."""
    rows = [row for row in table.css("tr") if _nearest_table(row) == table.mem_id]
    cells = [[cell for cell in children(row) if cell.tag in ("td", "th")] for row in rows]
    return [row for row in cells if row]


def _nearest_table(row: LexborNode) -> int:
    at = row.parent
    while at is not None and at.tag != "table":
        at = at.parent
    return at.mem_id if at is not None else 0


def is_simple(table: LexborNode, rows: list[list[LexborNode]]) -> bool:
    """Whether Markdown's tables can say it: a row of headings, and words in every cell."""
    head = rows[0]
    has_head = all(cell.tag == "th" for cell in head) or table.css_first("thead") is not None
    if not has_head or any(cell.tag == "th" for row in rows[1:] for cell in row):
        return False
    for row in rows:
        for cell in row:
            spans = (cell.attributes.get("colspan") or "1", cell.attributes.get("rowspan") or "1")
            if spans != ("1", "1") or len(row) > len(head):
                return False
            blocks = cell.css(
                "p, ul, ol, table, pre, blockquote, h1, h2, h3, h4, h5, h6, figure, iframe, div"
            )
            if [one for one in blocks if one.mem_id != cell.mem_id]:
                return False
    return True


def cell_rule(cell: LexborNode) -> str:
    """What stands under the cell's heading: Markdown's sign of its alignment."""
    style = (cell.attributes.get("style") or "") + " " + (cell.attributes.get("class") or "")
    align = cell.attributes.get("align") or ""
    for side, rule in (("center", ":---:"), ("right", "---:"), ("left", ":---")):
        if align == side or re.search(rf"text-align[:-]\s*{side}", style):
            return rule
    return "---"
