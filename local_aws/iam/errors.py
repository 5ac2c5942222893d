"""What cannot be judged."""

from __future__ import annotations


class Unevaluable(Exception):
    """A policy or request that this evaluator does not understand; whoever asked has to refuse the request.

    The text says what is not understood, and where.
    """
