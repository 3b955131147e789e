"""Readers of travel documents."""
