"""edge-agent: the daemon on a border crossing point that makes events that cannot get lost of what devices see."""

from importlib.metadata import version

__version__ = version("edge-agent")
