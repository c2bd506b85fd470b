"""`python -m app.cli` is `livearchive`."""

from app.cli.main import main

main()
