"""edge-agent: the daemon on a border crossing point that turns what its devices see into events that cannot get lost."""

from importlib.metadata import version

__version__ = version("edge-agent")
