"""Paging by tr_cont and the padded cursor pair in the body."""

from typing import Any

from simulator.rest import Call


def page(call: Call, rows: list[Any], size: int, condition: str) -> tuple[list[Any], str, dict]:
    """One page of rows: (rows, tr_cont for the header, cursor members for the body).

    The first call is told by its header alone; the cursor is only read with tr_cont "N". As at the
    broker the last page may carry a cursor too: only the header says that it is the last.
    """
    start = 0
    if call.next_page:
        text = call.params.get("CTX_AREA_NK100", "").strip()
        start = int(text) if text.isdigit() else 0
    end = start + size
    more = end < len(rows)
    tr_cont = ("M" if start else "F") if more else ("E" if start else "D")
    cursor = str(min(end, len(rows))) if more or start else ""
    body = {"ctx_area_fk100": f"{condition:<100}", "ctx_area_nk100": f"{cursor:<100}"}
    return rows[start:end], tr_cont, body
