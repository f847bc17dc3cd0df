"""A real browser for the tests of pages: Debian's Chromium where it is installed, else Playwright's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

_DEBIAN = Path("/usr/bin/chromium")
_ARGUMENTS = [
    "--no-sandbox",  # a container's root can not have one
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autofill-server-url=http://127.0.0.1:9/",  # nobody: else it asks elsewhere about every form to type into
]

LEAST_CONTRAST = 4.5
"""Between text and what lies behind it (WCAG 2.2, success criterion 1.4.3)."""

_CONTRASTS = """
() => {
  const channel = value => { value /= 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4 }
  const parse = colour => colour.match(/[\\d.]+/g).map(Number)
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b)
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor)
      if (colour.length < 4 || colour[3] === 1) return colour
    }
    return [255, 255, 255]
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const found = []
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement
    if (!texts.currentNode.textContent.trim()) continue
    const [light, dark] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))]
      .sort((a, b) => b - a)
    found.push([texts.currentNode.textContent.trim(), (light + 0.05) / (dark + 0.05)])
  }
  return found
}
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, running."""
    with sync_playwright() as playwright:
        path = str(_DEBIAN) if _DEBIAN.exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def contrasts(page: Page) -> dict[str, float]:
    """The contrast ratio of every text on the page."""
    return dict(page.evaluate(_CONTRASTS))
