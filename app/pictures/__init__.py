"""Pictures of strangers: decoded in a child process and drawn anew, so that pixels are left."""
