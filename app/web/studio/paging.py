"""Which page of a long list is asked for."""


def page_number(typed: str) -> int:
    """The number in `?page=`, at least 1; anything that is no sensible number is 1."""
    return max(int(typed), 1) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 1
