"""HTML of a stranger made cheap and harmless: what the pages and what is sent have in common."""
