"""The web client and the administration pages, server-rendered; they work without a script."""

from app.web.site import Extra as Extra
from app.web.site import create_app as create_app
