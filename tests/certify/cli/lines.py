"""Command lines that must be refused, and such that must be answered; `test_fuzz` runs them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from relax import losses

Line = tuple[str, ...]
BASE: Line = ("solve", "--counts", "5,3")

GOOD_COUNTS = [
    "5,3", "3,5", "2,2", "5 , 3", "5x2,3", "5×2,3", "5x1,3x1", "1,2", "9,9,9", "007,3", "4x3", "2x2,2",
]  # fmt: skip
BAD_COUNTS = [
    "", " ", ",", "5", "1,1", "5,,3", "5,3,", ",5,3", "5x", "x5", "5x2x3", "5x0,3", "0,3", "-5,3", "+5,3",
]  # fmt: skip
BAD_COUNTS += [
    "5.0,3", "5.5,3", "1e3,3", "1_0,3", "٥,3", "five,3", "5;3", "5 3", "[5,3]", "5/1,3", "0x5,3", "inf,3",
]  # fmt: skip
BAD_COUNTS += [
    "nan,3",
    "9007199254740993,3",
    "9" * 30 + ",3",
    "9" * 5000 + ",3",
    "5\n3",
    "5,3\0",
    "５,3",
    "5,3 x",
]
GOOD_STEP = ["1,1,5,3", "1,1,3,5", "2,1,4,4", "1 ,1, 5,3", "2,3,10,2"]
BAD_STEP = [
    "", "1,1,5", "1,1,5,3,2", "2x2,3,4,5", "1,1,5,3.0", "-1,1,5,3", "0,1,5,3", "1,0,5,3", "1,1,0,3",
    "1,1,5,0",
]  # fmt: skip
BAD_STEP += [
    "1e1,1,5,3",
    "1_0,1,5,3",
    "a,b,c,d",
    "1,1,5,",
    ",1,5,3",
    "1;1;5;3",
    "1,1,9007199254740993,3",
    "+1,1,5,3",
]
GOOD_NUMBERS = [
    "0.1", ".5", "1.", "1e0", "1E0", "+1", "0.1 ", " 0.1", "1e-6", "2", "1e5", "0.50", "1e-100", "1e100",
]  # fmt: skip
BAD_NUMBERS = [
    "", "0", "-0", "0.0", "-1", "nan", "inf", "-inf", "infinity", "1e400", "1e-400", "1e-320", "1e-308",
]  # fmt: skip
BAD_NUMBERS += [
    "1e308", "1e-101", "1e101", "1/3", "1/0", "1/2", "٠.١", "0,1", "1_0", "0x1", "1e", "e1", ".", "--",
    "1 2",
]  # fmt: skip
BAD_NUMBERS += [
    "warm", "0.1000000000000000055", "1" * 10_000, "0." + "3" * 100, "true", "None", "1e1e1", "½", "\0",
    "1\n",
]  # fmt: skip
BAD_WHOLE = [
    "", "-1", "+1", "1.0", "1.5", "1e3", "1_0", "٣", "many", "nan", "inf", "0x1", "1/1", " ", "²",
    "9" * 500,
]  # fmt: skip
BAD_LOSSES = [
    "",
    "triplet",
    "SupCon",
    "supcon:",
    "supcon:x=1",
    "supcon:positives_weight",
    "supcon:positives_weight=",
]
BAD_LOSSES += ["supcon:positives_weight=x", "supcon:positives_weight=-1", "supcon:positives_weight=nan"]
BAD_LOSSES += [
    "supcon:positives_weight=1,positives_weight=1",
    "supcon:class_weights=both",
    "supcon:batch_size=0",
]
BAD_LOSSES += [
    "supcon:batch_size=1",
    "supcon:batch_size=2.5",
    "supcon:batch_size=1_0",
    "supcon:sampler=shuffle",
]
BAD_LOSSES += [
    "kernel:gamma=0",
    "kernel:gamma=1e400",
    "kernel:gamma=1e-320",
    "kernel:gamma=1,gamma=2",
    "kernel:=1",
]
BAD_LOSSES += [
    "cross-entropy:classifier=cube",
    "cross-entropy:classifier=ridge",
    "cross-entropy:classifier=ridge:0",
]
BAD_LOSSES += [
    "fixed-batches",
    "fixed-batches:labels=a",
    "fixed-batches:labels=@missing",
    "fixed-batches:labels=@\0",
]
BAD_LOSSES += [
    "decoupled",
    "dhel",
    "supcon,positives_weight=1",
    "@losses",
    "supcon:batch_size=٣",
    "pml-supcon:x=1",
]
BAD_LOSSES.remove("supcon:")  # which is supcon, without parameters
GOOD_NORMS = ["sphere", "ball", "ball:2", "sphere:0.5", "ridge:0.01", "mean-square:1", "mean-square:1/2"]
BAD_NORMS = [
    "", "cube", "Sphere", "ridge", "mean-square", "ball:", "ball:0", "ball:-1", "ball:nan", "ball:inf",
]  # fmt: skip
BAD_NORMS += [
    "ball:1e400", "ball:1e-320", "ball:1e308", "ridge:x", "ridge:0", "ridge:1/0", "ball:1_0", "ball:٢",
    "ball:2:3",
]  # fmt: skip
BAD_WORDS = {
    "--level": ["", "class", "Groups", "all", "groups "],
    "--solver": ["", "magic", "AUTO", "mosek ", "cvxpy", "gurobi"],
    "--dataset": [
        "",
        "imagenet",
        "cifar10-lt-",
        "cifar10-lt-0",
        "cifar10-lt-1.5",
        "cifar10-lt-x",
        "places-lt ",
    ],
}
BAD_OUTPUTS = [
    "missing/out", "folder", "folder/", "file/out", "/dev/null", "/dev/full", "/proc/out", "x" * 300, "",
    "a\0b",
]  # fmt: skip
BAD_LINES: list[Line] = [
    (),
    ("sol",),
    ("solve",),
    ("solve", "5,3"),
    ("solve", "--counts"),
    ("solve", "--count", "5,3"),
    ("solve", "--counts", "5,3", "more"),
    ("solve", "--counts", "5,3", "--json=yes"),
    ("solve", "--counts", "5,3", "--dataset", "places-lt"),
    ("solve", "--counts", "5,3", "--step", "1,1,5,3"),
    ("solve", "--counts", "5,3", "--labels", "good.txt"),
    ("--nonsense",),
    ("losses", "supcon"),
    ("datasets", "--no"),
    ("check",),
    ("check", "missing.json"),
    ("check", "folder"),
    ("check", "file"),
    ("check", "good.txt"),
    ("check", "out.json", "out.json"),
    *((*BASE, *pair) for pair in itertools.combinations(["--descent-dim=2", "--seed=1", "--json"], 2)),
    (*BASE, "--loss", "cross-entropy", "--nonnegative"),
    (*BASE, "--loss", "cross-entropy", "--level", "samples"),
    (*BASE, "--loss", "pml-ntxent", "--batch-size", "4"),
    (*BASE, "--loss", "supcon:batch_size=4", "--batch-size", "4"),
    (*BASE, "--loss", "jiang-ucl", "--solver", "scs"),
    (*BASE, "--loss", "supcon:batch_size=4", "--solver", "clarabel"),
    (*BASE, "--loss", "dhel", "--views", "2", "--norm", "ridge:1"),
    (*BASE, "--loss", "lightly-ntxent", "--views", "2", "--norm", "ball"),
    (*BASE, "--norm", "ridge:1", "--solver", "dual_vector"),
    ("solve", "--counts", "2000,5", "--level", "samples"),
    (*BASE, "--verify-descent", "1000000000"),
    (*BASE, "--verify-descent", "1", "--seed", str(2**64)),
    (*BASE, "--certificate", "one", "--save", "./one"),
    (*BASE, "--plot", "one.bmp"),
    (*BASE, "--plot", "one.png", "--save", "folder/../one.png"),
    ("solve", "--labels", "good.txt", "--certificate", "good.txt"),
    ("solve", "--labels", "good.csv:label", "--save", "link.csv"),
]
GOOD_LINES: list[Line] = [
    ("--version",),
    ("--help",),
    ("solve", "-h"),
    ("check", "-h"),
    ("losses",),
    ("losses", "--sources", "--json"),
    ("datasets",),
    ("datasets", "--sources"),
    ("datasets", "--json"),
    ("check", "out.json"),
    ("check", "out.json", "--json", "--quiet"),
    ("check", "out.json", "--tolerance", "1e-12"),
    ("check", "out.json", "--unnamed"),
    ("solve", "--labels", "good.txt"),
    ("solve", "--labels", "good.csv:label"),
    ("solve", "--labels", "good.csv:2"),
    ("solve", "--labels", "good.npy"),
    (*BASE, "--json", "--quiet"),
    (*BASE, "--certificate", "new.json", "--save", "new.npz"),
    (*BASE, "--nonnegative"),
    (*BASE, "--views", "2"),
    (*BASE, "--level", "classes"),
    (*BASE, "--level", "samples"),
    (*BASE, "--solver", "low_rank", "--tolerance", "1e-15"),
    (*BASE, "--time-limit", "60"),
]


def bad_lines() -> Iterator[Line]:
    """Yield lines that must be refused."""
    yield from BAD_LINES
    yield from (("solve", "--counts", counts) for counts in BAD_COUNTS)
    yield from (("solve", "--step", step) for step in BAD_STEP)
    yield from ((*BASE, "--temperature", number) for number in BAD_NUMBERS)
    for option in ("--tolerance", "--time-limit"):
        in_range = {
            "1e-320",
            "1e-308",
            "1e-101",
            "1e101",
            "1e308",
        }  # of a time limit, and most of a tolerance
        yield from ((*BASE, option, number) for number in BAD_NUMBERS if number not in in_range)
    yield from ((*BASE, "--tolerance", number) for number in ("1", "2", "1e308"))
    for option in ("--views", "--batch-size", "--verify-descent"):
        yield from ((*BASE, option, number) for number in ["0", *BAD_WHOLE])
    for option in ("--descent-dim", "--seed"):
        yield from ((*BASE, "--verify-descent", "1", option, number) for number in BAD_WHOLE)
    yield from ((*BASE, "--loss", loss) for loss in BAD_LOSSES)
    yield from ((*BASE, "--norm", norm) for norm in BAD_NORMS)
    several = zip(itertools.cycle(BAD_COUNTS), BAD_NORMS * 2, BAD_LOSSES * 2, strict=False)
    yield from (("solve", "--counts", one, "--norm", two, "--loss", three) for one, two, three in several)
    for option, words in BAD_WORDS.items():
        base = ("solve",) if option == "--dataset" else BASE
        yield from ((*base, option, word) for word in words)
    for option in ("--certificate", "--save", "--plot"):
        paths = [path for path in BAD_OUTPUTS if "/dev" not in path] if option == "--plot" else BAD_OUTPUTS
        for path in paths:
            yield (*BASE, option, f"{path}.png" if option == "--plot" and "/" in path else path)
    yield from (("solve", "--labels", name) for name in BAD_FILES)
    yield from (("solve", "--labels", f"good.csv:{column}") for column in ("", "0", "3", "x", "label ,"))
    yield from (
        ("check", "out.json", "--tolerance", number) for number in ("", "-1", "nan", "often", "1e-9x")
    )


def good_lines() -> Iterator[Line]:
    """Yield lines that must be answered."""
    yield from GOOD_LINES
    yield from (("solve", "--counts", counts) for counts in GOOD_COUNTS)
    yield from (("solve", "--step", step) for step in GOOD_STEP)
    yield from ((*BASE, "--temperature", number) for number in GOOD_NUMBERS)
    yield from ((*BASE, "--norm", norm) for norm in GOOD_NORMS)
    several = itertools.product(GOOD_COUNTS[:5], ["0.2", "1", "30"])
    yield from (("solve", "--counts", one, "--temperature", two, "--json") for one, two in several)
    for name in losses.names():
        if name not in ("fixed-batches", "kini-supcon"):
            yield ("solve", "--counts", "5,3,3", "--loss", name, "--views", "2")


BAD_FILES = {
    "empty.txt": b"",
    "title.txt": b"label\n0\n0\n1\n1\n",
    "title.csv": b"species\ncat\ncat\ndog\ndog\n",
    "columns.csv": b"id,label\n1,0\n2,0\n3,1\n",
    "line.csv": b"0,0,1,2",
    "blanks.txt": b"0 0 1 2",
    "gap.txt": b"0\n0\n\n1\n",
    "utf16.txt": "0\n0\n1\n1\n".encode("utf-16"),
    "latin.txt": b"caf\xe9\ncaf\xe9\n",
    "nan.txt": b"0\n0\nnan\n1\n",
    "half.txt": b"0.5\n0.5\n1\n1\n",
    "one.txt": b"0\n0\n0\n",
    "quote.txt": b'"0\n0\n',
    "cut.npy": b"\x93NUMPY\x01\x00",
    "text.npy": b"0\n0\n1\n",
    "cut.npz": b"PK\x03\x04",
    "null.txt": b"\0\0\0",
}
