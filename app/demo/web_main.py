"""The web role of a demo: the product's pages and the demo's own.

`python -m app.demo.web_main CONTROL_SOCKET`
"""

import sys
from pathlib import Path

from app.demo.control import StandInControl
from app.demo.page import demo_page
from app.roles.process import Role, run_role
from app.roles.web import serve_site


def main(role: Role) -> None:
    """Serve the pages, with `/demo` over the stand-in that listens on the given socket."""
    control = StandInControl(Path(role.arguments[0]))
    serve_site(role, [demo_page(control, str(role.config.smtp))])


if __name__ == "__main__":
    sys.exit(run_role("web", main))
