"""The picture of each notebook: `python docs/tools/notebook_pictures.py` writes docs/notebooks/NN.png.

It is the first figure that a cell shows, as stored in the executed notebook. Needs nothing but Python.
"""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def notebooks() -> list[Path]:
    """Return the notebooks by number."""
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


def place(notebook: Path) -> Path:
    """Return where the picture of a notebook is."""
    return ROOT / "docs" / "notebooks" / f"{notebook.name[:2]}.png"


def picture(notebook: Path) -> bytes:
    """Return the first figure that a cell shows; what stands beside a printed object is none.

    Raises
    ------
    ValueError
        If there is none.
    """
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            if output["output_type"] == "display_data" and "image/png" in output["data"]:
                return b64decode(output["data"]["image/png"])
    raise ValueError(f"{notebook} shows no figure; execute it, and store it with its outputs")


if __name__ == "__main__":
    for path in notebooks():
        place(path).parent.mkdir(exist_ok=True)
        place(path).write_bytes(picture(path))
