"""The daemon's own process: ``python -m edge_agent.daemon DIRECTORY``, which is what ``edge-agent run`` turns into.

It is a process image of its own so that it carries nothing of the command line, and so that the workers, which are
forked with this module as their main, do not either.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from edge_agent.config.loader import ConfigError
from edge_agent.daemon.agent import Agent
from edge_agent.daemon.journal import JournalUnwritableError
from edge_agent.daemon.log import set_up

CONFIGURATION, JOURNAL, BROKEN = 1, 3, 70


def main(directory: Path) -> int:
    """Run the agent; return the exit code."""
    set_up()
    os.umask(0o077)  # what devices see is nobody else's business
    try:
        agent = Agent(directory)
    except ConfigError as error:
        for mistake in error.mistakes:
            print(mistake, file=sys.stderr)
        return CONFIGURATION
    except (JournalUnwritableError, OSError) as error:
        logging.getLogger(__name__).error("the journal cannot be used: %s", error)
        return JOURNAL
    return 0 if agent.run() else BROKEN


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
