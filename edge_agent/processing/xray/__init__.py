"""X-ray scans: from raw detector counts to materials, views, proposals and the scanner's own health."""
