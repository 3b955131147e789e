"""The virtual checkpoint: documents and devices that exist only to try the agent."""
