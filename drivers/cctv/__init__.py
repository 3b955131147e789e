"""Cameras that watch the lanes: sources of events, not recorders."""
