"""The command `tripsmith`: arguments in, answers out; what they mean is decided elsewhere."""

from tripsmith.cli.command import cli, main

__all__ = ["cli", "main"]
