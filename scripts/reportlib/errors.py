"""The errors a user of the report can cause."""


class ReportError(Exception):
    """Something is wrong with the input; the message names the file and the place in it."""


class UsageError(Exception):
    """The command line makes no sense."""
