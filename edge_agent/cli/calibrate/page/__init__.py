"""The page of ``edge-agent calibrate camera``: a small web server on loopback, and what it writes."""
