"""`python -m app.setup_main`: what `livearchive init` does, for the supervisor to start."""

import os
import sys

from app.config import Config
from app.setup import prepare
from archive_store.errors import StoreError


def main() -> int:
    """Prepare the data folder that the environment names."""
    try:
        prepare(Config.load(os.environ))
    except StoreError as error:
        sys.stderr.write(f"livearchive: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
