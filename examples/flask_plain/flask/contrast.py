"""How well a text can be read on its background: https://www.w3.org/TR/WCAG22/#contrast-minimum"""

from __future__ import annotations

import re

HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


class ColorError(ValueError):
    """Not a colour; the message says what one looks like."""


def normal(color: str) -> str:
    """`fff` or `#FFFFFF` as `#ffffff`.

    Raises:
        ColorError: it is neither.
    """
    found = HEX.fullmatch(color.strip())
    if not found:
        raise ColorError(f"{color!r} is not a colour; write it as #c81e1e or #fff.")
    digits = found[1].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def luminance(color: str) -> float:
    """From 0 (black) to 1 (white): https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(normal(color)[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(text: str, background: str) -> float:
    """From 1 (the same colour) to 21 (black on white)."""
    darker, lighter = sorted((luminance(text), luminance(background)))
    return round((lighter + 0.05) / (darker + 0.05), 2)


def grade(value: float) -> str:
    """What a ratio is good for, in the words of WCAG."""
    return "AAA" if value >= 7 else "AA" if value >= 4.5 else "AA, large text only" if value >= 3 else "fails"
