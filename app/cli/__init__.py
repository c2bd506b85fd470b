"""The `livearchive` command: `docs/commands.md` lists what it does."""
