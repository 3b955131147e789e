"""What is claimed, measured: one command each, against the peers, in one run."""
