"""Search tools of a post, and the record of a search."""
