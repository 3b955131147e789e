"""Bar codes in pictures, and what public standards say about their contents."""
