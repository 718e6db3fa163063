"""How soon the page of `gramcert explore` shows a move: from the key to certified numbers, in chromium."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MOVES = 20
HEADS = ("what is moved", "median, ms", "largest, ms")
WORDS = (
    "Milliseconds of the clock from a key on a slider to CERTIFIED beside the new numbers: two large and two "
    f"small classes, full batch where nothing else is said; {MOVES} moves each."
)
BATCHES = {"batches of 32 with replacement": "replacement", "shuffled batches of 32": "shuffle"}
SLIDERS = ("imbalance R", "temperature τ", "small classes", "turn the vectors (°)")
# Sets `took` to the time from the next key to the change after which the page shows another certified state.
STOPWATCH = """() => {
    const state = () => ['gram-badge', 'gram-command'].map(id => document.getElementById(id)?.innerText);
    const drawn = () => document.querySelector('.gram-arrows')?.outerHTML;
    const before = [...state(), drawn()].join();
    let start;
    addEventListener('keydown', () => { start = performance.now(); }, { once: true, capture: true });
    const watch = new MutationObserver(() => {
        if (state()[0] !== 'CERTIFIED' || [...state(), drawn()].join() === before) return;
        watch.disconnect();
        window.took = performance.now() - start;
    });
    window.took = null;
    watch.observe(document.getElementById('App'), { childList: true, subtree: true, characterData: true,
        attributes: true });
}"""


@contextmanager
def page() -> Iterator[Any]:
    """Serve the explorer and open it."""
    from playwright.sync_api import sync_playwright

    main = "import sys; from certify.cli import main; sys.argv[0] = 'gramcert'; main()"
    command = [sys.executable, "-c", main, "explore", "--no-browser"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served,
        sync_playwright() as playwright,
    ):
        assert served.stdout is not None
        address = served.stdout.readline().split()[4]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.goto(address)
        opened.wait_for_selector("#gram-mark")
        yield opened
        browser.close()
        served.terminate()


def lines(opened: Any) -> Iterator[tuple[str, ...]]:
    """Yield a line for each slider, and for the temperature with batches."""
    for label in SLIDERS:
        yield _line(opened, label, label)
    for name, sampler in BATCHES.items():
        opened.get_by_label("batches", exact=True).select_option(sampler)
        opened.wait_for_function("s => document.body.innerText.includes('sampler=' + s)", arg=sampler)
        yield _line(opened, "temperature τ", f"temperature τ, {name}")


def _line(opened: Any, label: str, name: str) -> tuple[str, ...]:
    slider = opened.get_by_role("slider", name=label, exact=True)
    took = []
    for move in range(MOVES + 2):
        opened.wait_for_timeout(400)  # the threshold is computed beside the page after a move
        slider.focus()
        opened.evaluate(STOPWATCH)
        opened.keyboard.press("ArrowRight" if move % 8 < 4 else "ArrowLeft")
        opened.wait_for_function("window.took !== null")
        took.append(opened.evaluate("window.took"))
    took = took[2:]  # the first moves load what is needed
    return name, f"{statistics.median(took):.0f}", f"{max(took):.0f}"
