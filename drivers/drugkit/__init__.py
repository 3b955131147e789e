"""Drug identification kits."""
