"""docs/losses.md has every loss, with the formula, parameters and source that the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from relax import losses
from relax.losses.parameters import parameters, spelled_default

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "losses.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", losses.names())
def test_a_loss_is_described_as_it_is(name: str) -> None:
    loss = losses.kind(name)
    (section,) = (part for part in PAGE.split("### ") if part.startswith(f"`{name}`\n"))
    for said in (loss.formula, loss.source, f"Default temperature {loss.default_temperature:g}."):
        assert said in section
    for parameter in parameters(loss):
        assert f"`{parameter.name}` = {spelled_default(parameter)} (" in section


def test_no_other_loss_is_described() -> None:
    described = [part.split("`")[1] for part in PAGE.split("### ")[1:]]
    assert sorted(described) == losses.names()
