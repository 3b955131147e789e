"""Readers of the files that a scan may consist of. Each makes a ``Scan`` of what it finds; ``merge`` joins them."""
