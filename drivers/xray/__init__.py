"""X-ray scanners of baggage, cargo and vehicles."""
