"""Draw the pictures of the README and the catalog anew, into Resources/Screenshots:

.venv/bin/python Testing/Slicer/make_screenshots.py
"""

from __future__ import annotations

import host


def main() -> None:
    host.install()
    import screenshots  # needs what the host has installed

    folder = host.ROOT / "Resources" / "Screenshots"
    screenshots.drawViews(folder)
    screenshots.drawPanels(folder)


if __name__ == "__main__":
    main()
