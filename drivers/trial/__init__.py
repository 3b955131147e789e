"""Devices that are none: to try a post before its real ones are there."""
