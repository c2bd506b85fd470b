"""Measures LiveArchive beside what one would run instead; `./dev bench` starts it."""
