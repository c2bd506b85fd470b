"""The administration pages: metadata and settings, never anybody's mail."""
