"""Errors whose message is meant for the user: what is wrong, where, and what to do."""


class UserError(Exception):
    """Something outside the code is wrong; the tools print the message without a traceback."""


class AnnotationError(UserError, ValueError):
    """An annotation file that cannot be used; the message names it."""
