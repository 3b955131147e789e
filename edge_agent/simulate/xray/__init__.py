"""X-ray scanners that exist only to try the agent: physics, detectors with their faults, and what goes through them."""
