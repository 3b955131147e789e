from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge_agent.processing.colourtest.card import nominal_labs, paper, patches
from edge_agent.processing.colourtest.colour import D50, D65, adapt, lab_of_xyz, xyz_of_lab
from edge_agent.processing.colourtest.locate import locate
from edge_agent.processing.colourtest.measured import MeasuredError, from_csv, from_values, to_values
from edge_agent.processing.colourtest.printing import card_pdf, card_png, draw_card


def written(**changes: tuple[float, float, float] | None) -> str:
    labs = {name: lab_of_xyz(adapt(xyz_of_lab(lab), D65, D50), D50) for name, lab in nominal_labs().items()}
    labs |= {name.replace("_", " "): lab for name, lab in changes.items()}
    rows = [f"{name},{lab[0]:.3f},{lab[1]:.3f},{lab[2]:.3f}" for name, lab in labs.items() if lab is not None]
    return "\n".join(["patch,L,a,b", *rows])


def test_what_was_measured_for_d50_is_kept_for_d65() -> None:
    labs = from_csv(written())
    assert all(np.allclose(labs[name], lab, atol=0.01) for name, lab in nominal_labs().items())
    kept = from_values(to_values(labs))
    assert all(np.allclose(kept[name], labs[name], atol=0.001) for name in labs)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no column"),
        ("patch,L,a\nred,1,2", "no column b"),
        (written(red=None), "no row for red"),
        (written(red=(38.0, -40.0, 30.0)), "swapped"),
        (written(neutral_5=(50.0, 20.0, 0.0)), "should be grey"),
        (written(ramp_3=(30.0, 0.0, 0.0)), "darker from step to step"),
        (written(ramp_6=(47.0, 0.0, 0.0), ramp_5=(47.5, 0.0, 0.0)), "swapped|pale|darker"),
        (written() + "\nred,1,2,3", "twice"),
        (written().replace("\nred,", "\nred,x"), "three numbers"),
        (written(red=(float("nan"), 0, 0)), "no colour"),
        ("x" * 200_000, "too long"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused(text: str, why: str) -> None:
    with pytest.raises(MeasuredError, match=why):
        from_csv(text)


@given(st.text(max_size=300))
def test_any_text_is_taken_or_refused(text: str) -> None:
    with pytest.raises(MeasuredError):
        from_csv(text)


def test_the_card_is_printed_as_it_is_looked_for() -> None:
    found = locate(draw_card(150)[..., ::-1].copy())
    assert found is not None
    assert found.markers == 4
    assert found.misfit < 0.1


def test_places_of_paper_are_white_and_patches_of_one_colour() -> None:
    card, scale = draw_card(200), 200 / 25.4
    for place in (*paper(), *(patch.place.inner(0.9) for patch in patches())):
        part = card[
            round(place.y * scale) : round((place.y + place.height) * scale),
            round(place.x * scale) : round((place.x + place.width) * scale),
        ]
        assert np.ptp(part.reshape(-1, 3), axis=0).max() == 0


def test_the_files_are_what_they_say() -> None:
    with Image.open(io.BytesIO(card_png(100))) as png:
        assert png.size == (630, 433)
        assert png.info["dpi"] == pytest.approx((100, 100), abs=0.1)
    pdf = card_pdf(60)
    assert pdf.startswith(b"%PDF-")
    assert b"/MediaBox" in pdf
