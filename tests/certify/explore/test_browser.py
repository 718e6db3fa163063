"""The page in Debian's chromium: opened, moved, and its numbers compared with `solve`; it asks no network."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright import sync_api

from certify import check, checker
from relax import Problem, solve

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 60_000  # milliseconds
USUAL = "gramcert solve --step 2,2,500,50 --temperature 0.5 --loss "
MAIN = "import sys; from certify.cli import main; sys.argv[0] = 'gramcert'; main()"

pytestmark = [
    pytest.mark.slow,
    # .ci/run sets CHROMIUM: there, its absence is a failure
    pytest.mark.skipif(
        "CHROMIUM" not in os.environ and not CHROMIUM.exists(), reason="Debian's chromium is not installed"
    ),
]


class Served(NamedTuple):
    address: str
    process: subprocess.Popen[str]
    home: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run the command in an empty home, where it must leave nothing."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environment = kept | {"HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "explore", "--no-browser"],
        cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,  # as a terminal starts it
    )  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.readline()
    found = re.fullmatch(r"gramcert explore is at (http://127\.0\.0\.1:\d+/) \(Ctrl-C ends it\)\n", said)
    assert found, said
    yield Served(found[1], process, home)
    process.kill()
    process.communicate()


class Page:
    """A tab, and what was wrong in it."""

    def __init__(self, browser: Any, address: str, width: int, dark: bool = False) -> None:
        scheme = "dark" if dark else "light"
        self.tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.tab.set_default_timeout(PATIENCE)
        self.wrong: list[str] = []
        self.tab.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        self.tab.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.tab.on("request", lambda request: self._note(request.url, address))
        self.tab.goto(address)
        self.wait("CERTIFIED")

    def _note(self, url: str, address: str) -> None:
        if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:")):
            self.wrong.append(f"asked for {url}")

    def slider(self, label: str) -> Any:
        return self.tab.get_by_role("slider", name=label, exact=True)

    def move(self, label: str, key: str, times: int = 1) -> None:
        """Press a key on a slider, as a user without a mouse."""
        self.slider(label).focus()
        for _ in range(times):
            self.tab.keyboard.press(key)

    def text(self, name: str) -> str:
        return self.tab.locator(f"#gram-{name}").inner_text()

    def wait(self, badge: str, command: str = "") -> None:
        """Wait until the page says so, of the command where one is given."""
        self.tab.wait_for_function(
            """([badge, command]) => {
                const text = name => document.querySelector('#gram-' + name)?.innerText ?? '';
                return text('badge') === badge && (!command || text('command') === command);
            }""",
            arg=[badge, command],
        )

    def cosines(self) -> list[list[float]]:
        """Return the rows of the heat map, as its description reads them out."""
        said = self.tab.locator("#gram-heat-map-desc").text_content()
        rows = said.split("a row for each class. ")[1].rstrip(".").split("; ")
        return [[float(v.replace("−", "-")) for v in row.split(": ")[1].split(", ")] for row in rows]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def page(served: Served, browser: Any) -> Iterator[Page]:
    opened = Page(browser, served.address, 1280)
    yield opened
    opened.tab.close()
    assert opened.wrong == []


def same(page: Page, problem: Problem) -> None:
    """The numbers on the page are those of `solve`: the matrix in three decimals, the loss in ten digits."""
    solution = solve(problem)
    assert page.cosines() == [[pytest.approx(v, abs=6e-4) for v in row] for row in solution.gram.tolist()]
    lower = page.tab.locator(".gram-verdict dd").first.inner_text()
    assert float(lower) == pytest.approx(solution.value, rel=1e-9)
    assert float(lower) <= solution.value * (1 + 1e-15)


def test_moved_sliders_show_what_solve_finds(page: Page) -> None:
    same(page, Problem.step(2, 2, 500, 50, temperature=0.5))
    page.move("large classes", "ArrowRight")
    page.wait("CERTIFIED", "gramcert solve --step 3,2,500,50 --temperature 0.5 --loss supcon")
    same(page, Problem.step(3, 2, 500, 50, temperature=0.5))
    page.move("temperature τ", "ArrowRight", 3)
    page.wait("CERTIFIED", "gramcert solve --step 3,2,500,50 --temperature 0.63 --loss supcon")
    same(page, Problem.step(3, 2, 500, 50, temperature=0.63))
    page.move("weight w of positives", "ArrowLeft", 10)
    page.wait(
        "CERTIFIED", "gramcert solve --step 3,2,500,50 --temperature 0.63 --loss supcon:positives_weight=0.5"
    )
    same(page, Problem.step(3, 2, 500, 50, loss="supcon:positives_weight=0.5", temperature=0.63))


def test_the_slider_of_the_ratio_is_dragged_across_the_mark(page: Page) -> None:
    """By the mouse: classes are apart on its left, and on one point on its right."""
    page.tab.wait_for_selector("#gram-mark")
    assert "proven apart at R = 132.568" in page.text("threshold")
    mark = page.tab.locator("#gram-mark").bounding_box()
    thumb = page.slider("imbalance R").bounding_box()
    height = thumb["y"] + thumb["height"] / 2
    page.tab.mouse.move(thumb["x"] + thumb["width"] / 2, height)
    page.tab.mouse.down()
    for beside, merged in ((-9, False), (9, True), (-9, False)):
        page.tab.mouse.move(mark["x"] + beside, height, steps=12)
        words = "On one point: 2 classes of 50 samples."
        page.tab.wait_for_function(
            "([words, merged]) => document.querySelector('#gram-said').innerText.includes(words) === merged",
            arg=[words, merged],
        )
    page.tab.mouse.up()
    page.tab.wait_for_function("document.querySelector('#gram-ratio').innerText.startsWith('R = 94')")
    assert page.tab.locator("#gram-mark").bounding_box()["x"] == pytest.approx(mark["x"], abs=0.5)


def test_the_mark_stands_where_the_thumb_is_at_that_ratio(page: Page) -> None:
    page.tab.wait_for_selector("#gram-mark")
    while float(page.slider("imbalance R").get_attribute("aria-valuenow")) < 85:  # R = 133
        page.move("imbalance R", "ArrowRight")
    page.wait("CERTIFIED", "gramcert solve --step 2,2,6650,50 --temperature 0.5 --loss supcon")
    thumb = page.slider("imbalance R").bounding_box()
    mark = page.tab.locator("#gram-mark").bounding_box()
    assert thumb["x"] + thumb["width"] / 2 == pytest.approx(mark["x"] + mark["width"] / 2, abs=1.5)


def test_batches_and_other_losses(page: Page) -> None:
    page.tab.get_by_label("batches", exact=True).select_option("replacement")
    command = USUAL + "supcon:batch_size=32,sampler=replacement"
    page.wait("CERTIFIED", command)
    loss = "supcon:batch_size=32,sampler=replacement"
    same(page, Problem.step(2, 2, 500, 50, loss=loss, temperature=0.5))
    page.tab.get_by_label("loss", exact=True).select_option("negatives-only")
    page.wait("CERTIFIED", USUAL + "negatives-only --views 2")
    same(page, Problem.step(2, 2, 500, 50, loss="negatives-only", temperature=0.5, views=2))


def test_a_slow_proof_comes_later_and_does_not_block_moves(page: Page) -> None:
    page.tab.get_by_label("batches", exact=True).select_option("shuffle")
    page.wait("CERTIFIED", USUAL + "supcon:batch_size=32,sampler=shuffle")
    page.move("batch size, where there are batches", "ArrowRight", 4)  # 128
    page.wait("PROVING", USUAL + "supcon:batch_size=128,sampler=shuffle")
    page.wait("CERTIFIED", USUAL + "supcon:batch_size=128,sampler=shuffle")
    page.move("batch size, where there are batches", "ArrowRight", 5)  # 768: some 20 s
    page.wait("PROVING", USUAL + "supcon:batch_size=768,sampler=shuffle")
    start = time.monotonic()
    page.tab.get_by_label("batches", exact=True).select_option("full batch")
    page.wait("CERTIFIED", USUAL + "supcon")
    assert time.monotonic() - start < 10


def test_free_counts_and_refusals_are_sentences(page: Page) -> None:
    page.tab.get_by_role("tab", name="Any counts").click()
    page.wait("CERTIFIED", "gramcert solve --counts 5000,500,500,500,50,10,5 --temperature 0.5 --loss supcon")
    field = page.tab.get_by_label("class sizes, e.g. 5000,500x3,10")
    for typed, said in (
        ("20,7x2,3", ""),
        ("20,-7", "Counts item '-7' is not a class size; write 100,100,10,10 or 1000x5,10x1000000."),
        ("20", "One class only: every equiangular arrangement of its 20 samples attains"),
        ("", "Counts is empty; give class sizes, e.g. 100,100,10,10."),
    ):
        field.fill(typed)
        field.press("Enter")
        if said:
            page.wait("NOT POSSIBLE")
            page.tab.wait_for_function(
                "said => document.querySelector('#gram-said').innerText.startsWith(said)", arg=said
            )
        else:
            page.wait("CERTIFIED", "gramcert solve --counts 20,7,7,3 --temperature 0.5 --loss supcon")
            same(page, Problem([20, 7, 7, 3], temperature=0.5))
    assert "Traceback" not in page.tab.locator("body").inner_text()


def test_the_certificate_is_accepted_by_both_checkers(page: Page, tmp_path: Path) -> None:
    page.move("imbalance R", "ArrowRight", 2)
    page.wait("CERTIFIED", "gramcert solve --step 2,2,560,50 --temperature 0.5 --loss supcon")
    with page.tab.expect_download() as coming:
        page.tab.get_by_text("Download the certificate").click()
    path = tmp_path / "certificate.json"
    coming.value.save_as(path)
    assert json.loads(path.read_text())["claim"]["problem"]["counts"] == [[560, 2], [50, 2]]
    assert check(path).suffices()
    alone = subprocess.run(
        [sys.executable, checker.__file__, str(path)], capture_output=True, text=True, check=False
    )
    assert alone.returncode == 0, alone.stdout


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_sticks_out_on_a_telephone(served: Served, browser: Any, dark: bool) -> None:
    opened = Page(browser, served.address, 390, dark)
    for counts in (
        "5000,500x3,50,10,5",
        "1000x5,10x1000000",
        "300,299,298,297,296,295,294,293,292,291,290,289,288",
    ):
        opened.tab.get_by_role("tab", name="Any counts").click()
        field = opened.tab.get_by_label("class sizes, e.g. 5000,500x3,10")
        field.fill(counts)
        field.press("Enter")
        opened.tab.wait_for_function("document.querySelector('#gram-badge').innerText === 'CERTIFIED'")
        wide = "[document.documentElement, document.querySelector('#App')].map(e => e.scrollWidth)"
        assert max(opened.tab.evaluate(wide)) <= 390
    ground = opened.tab.evaluate("getComputedStyle(document.querySelector('#App')).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 128) is dark
    opened.tab.close()
    assert opened.wrong == []


def test_ctrl_c_ends_it_cleanly_and_nothing_is_left(served: Served) -> None:
    """Last: the home of the command is as empty as before, and so is the folder of the page."""
    served.process.send_signal(signal.SIGINT)
    out, err = served.process.communicate(timeout=20)
    assert (served.process.returncode, out, err) == (0, "", "")
    assert list(served.home.rglob("*")) == []
    assert not (ROOT / "certify" / "explore" / "__marimo__").exists()
