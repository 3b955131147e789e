"""The command line: one module per command, imported only when it is called."""


def main() -> None:
    """Entry point of ``edge-agent``."""
