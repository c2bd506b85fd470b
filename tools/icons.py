"""The icons of the installed app, drawn from `static/mark.svg`: `python -m tools.icons`.

PNG, since phones and desktops want pixels. A maskable icon keeps its drawing in the inner 80 %
(W3C Web Application Manifest, "Icon masks") and its ground to the edge; the badge of a
notification is a silhouette. Needs Chromium, as the tests do.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.parts.browser import ARGUMENTS, chromium

STATIC = Path(__file__).resolve().parent.parent / "static"
GROUND = "#fdfcfb"  # --surface, light
SIDE = 28  # of the mark's own view box


@dataclass(frozen=True, slots=True)
class Icon:
    """`share`: how much of the side the mark takes; `radius`: of the corners, of the side."""

    name: str
    pixels: int
    share: float
    ground: str = GROUND
    radius: float = 0


ICONS = (
    Icon("icon-192", 192, 0.66, radius=0.2),
    Icon("icon-512", 512, 0.66, radius=0.2),
    Icon("icon-180", 180, 0.64),
    Icon("maskable-192", 192, 0.5),
    Icon("maskable-512", 512, 0.5),
    Icon("badge-96", 96, 0.9, ground="none"),
)


def drawing(icon: Icon, strokes: str) -> str:
    """The SVG of an icon: its ground, and the mark in its middle."""
    side = SIDE / icon.share
    edge = (side - SIDE) / 2
    colours = "path { stroke: #5b6270 } .today { stroke: #155aa8 }"
    if icon.ground == "none":
        colours = "path { stroke: #fff }"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{icon.pixels}" height="{icon.pixels}" '
        f'viewBox="{-edge} {-edge} {side} {side}" fill="none" stroke-linecap="round" '
        f'stroke-width="2.4"><style>{colours}</style><rect x="{-edge}" y="{-edge}" '
        f'width="{side}" height="{side}" rx="{side * icon.radius}" fill="{icon.ground}"/>'
        f"{strokes}</svg>"
    )


def draw(page: Page, icon: Icon, strokes: str) -> None:
    page.set_viewport_size({"width": icon.pixels, "height": icon.pixels})
    page.set_content(f'<body style="margin:0">{drawing(icon, strokes)}</body>')
    page.screenshot(path=STATIC / "icons" / f"{icon.name}.png", omit_background=True)


def main() -> None:
    strokes = "".join(re.findall(r"<path [^>]*/>", (STATIC / "mark.svg").read_text()))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        page = browser.new_page()
        for icon in ICONS:
            draw(page, icon, strokes)
        browser.close()


if __name__ == "__main__":
    main()
