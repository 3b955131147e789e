"""What scales say over a serial line."""
