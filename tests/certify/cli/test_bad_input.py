"""Bad input: exit code 2, and one sentence that names what is wrong and what would be right."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

BAD = {
    "zero": (["--counts", "10,0"], "not positive"),
    "negative": (["--counts", "10,-5"], "--counts item '-5' is not a class size"),
    "fraction": (["--counts", "10,2.5"], "'2.5' is not a class size"),
    "word": (["--counts", "10,many"], "'many' is not a class size"),
    "empty": (["--counts", ""], "--counts is empty"),
    "large": (["--counts", f"10,{2**53 + 1}"], "beyond 2**53"),
    "one class": (["--counts", "10"], "one class only"),
    "no anchor": (["--counts", "1,1"], "no anchor"),
    "tau zero": (["--counts", "10,5", "--temperature", "0"], "--temperature 0 must be a positive number"),
    "tau negative": (["--counts", "10,5", "--temperature", "-1"], "--temperature -1 must be a positive"),
    "tau nan": (["--counts", "10,5", "--temperature", "nan"], "--temperature 'nan' is not a decimal number"),
    "tau inf": (["--counts", "10,5", "--temperature", "inf"], "--temperature 'inf' is not a decimal number"),
    "tau word": (
        ["--counts", "10,5", "--temperature", "warm"],
        "--temperature 'warm' is not a decimal number",
    ),
    "data set": (["--dataset", "imagenet"], "imagenet"),
    "loss": (["--counts", "10,5", "--loss", "triplet"], "--loss: unknown loss 'triplet'"),
    "solver": (["--counts", "10,5", "--solver", "magic"], "--solver: unknown solver 'magic'"),
    "norm": (["--counts", "10,5", "--norm", "cube"], "--norm 'cube'"),
    "no source": ([], "exactly one of"),
    "two sources": (["--counts", "10,5", "--dataset", "places-lt"], "exactly one of"),
    "no file": (["--labels", "missing.npy"], "missing.npy"),
    "step": (["--step", "2,2,100"], "four numbers"),
    "option": (["--count", "10,5"], "--count"),
    "certificate": (["--counts", "10,5", "--certificate", "missing/out.json"], "missing"),
    "picture": (["--counts", "10,5", "--plot", "out.bmp"], "must end in"),
}
OPTIONS = {  # of a problem that is all right
    "--loss supcon:margin=1": "loss supcon has no parameter 'margin'; it has: ",
    "--loss pml-supcon:margin=1": "loss pml-supcon has no parameter 'margin'; it has none",
    "--loss supcon:class_weights=both": "parameter class_weights = 'both' of loss supcon must be one of: ",
    "--loss supcon:class_weights": "write class_weights=VALUE (samples | classes)",
    "--loss supcon:positives_weight=x": "parameter positives_weight = 'x' of loss supcon must be a number",
    "--loss supcon:positives_weight=-1": "positives_weight -1.0 must be a finite number from 0 on",
    "--loss kernel:gamma=1,gamma=2": "parameter gamma of loss kernel is given twice",
    "--loss cross-entropy:classifier=cube": "of loss cross-entropy: norm 'cube' is not one of: sphere, ball",
    "--loss fixed-batches:labels=a": "parameter labels = 'a' of loss fixed-batches must be whole numbers",
    "--loss decoupled": "give --views 2",
    "--loss pml-ntxent --batch-size 8": "no parameter batch_size, which --batch-size 8 is short for",
    "--batch-size many": "--batch-size 'many' is not a whole number in plain digits",
    "--views 0": "--views 0 must be a whole number from 1 on",
    "--level class": "level 'class' must be one of: groups, classes, samples",
    "--loss cross-entropy --level samples": "give --level 'classes' or 'groups'",
    "--tolerance 2": "--tolerance 2.0 must lie between 0 and 1",
    "--time-limit -1": "--time-limit -1 must be a positive",
    "--norm ridge": "norm 'ridge' needs a number, e.g. ridge:0.01",
    "--norm ridge:1 --solver dual_vector": "--solver auto finds one that fits",
    "--verify-descent 0": "--verify-descent 0 must be a whole number from 1 on",
    "--verify-descent 2 --descent-dim 0": "--descent-dim 0 must be a whole number from 1 on",
    "--descent-dim 3": "give e.g. --verify-descent 16",
    "--seed 1": "--seed is about the descents of --verify-descent",
    "--seed -1": "--seed '-1' is not a whole number",
}
BAD |= {options: (["--counts", "10,5", *options.split()], said) for options, said in OPTIONS.items()}
BAD["samples"] = (
    ["--counts", "2000,5", "--level", "samples"],
    "2005 samples are too many for level 'samples'",
)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence_and_exit_code_2(
    name: str, refusal: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, message = BAD[name]
    monkeypatch.chdir(tmp_path)
    assert message in refusal("solve", *arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 2), dtype=int), "shape (3, 2)"),
        (np.array([0.5, math.nan]), "NaN"),
        (np.array([], dtype=int), "shape (0,)"),
        (np.array([1 + 2j, 3j]), "complex128"),
    ],
)
def test_bad_label_files(
    array: np.ndarray, message: str, refusal: Callable[..., str], tmp_path: Path
) -> None:
    np.save(tmp_path / "y.npy", array)
    assert message in refusal("solve", "--labels", str(tmp_path / "y.npy"))
