"""Columns of text are read whatever separates them, and never in part."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.processing.spectra.read import media_type, read
from edge_agent.processing.spectra.spectrum import SpectrumError, Technique, number
from tests.processing.spectra.data import needs_spectra, real


@pytest.mark.parametrize(
    "text",
    [
        "100.5\t1.5\n101.5\t2.5\n102.5\t3.5\n",
        "100,5\t1,5\r\n101,5\t2,5\r\n102,5\t3,5",
        "100,5;1,5\n101,5;2,5\n102,5;3,5\n",
        "100.5,1.5\n101.5,2.5\n102.5,3.5\n\n",
        "100.5, 1.5\n101.5, 2.5\n102.5, 3.5\n##END=\n\n",
        "100,5 1,5\n101,5 2,5\n102,5 3,5\n",
        "title;none\nx;y\n100,5;1,5\n101,5;2,5\n102,5;3,5\n",
        "#Wave\t\t#Intensity\n100.5\t\t1.5\n101.5\t\t2.5\n102.5\t\t3.5\n",
        "\ufeff1.005e2   15e-1\n 1.015E+2 2.5\n 102.5 3.5\n",
    ],
)
def test_two_columns_are_read_whatever_separates_them(text: str) -> None:
    (spectrum,) = read(text.encode())
    assert spectrum.x.tolist() == [100.5, 101.5, 102.5]
    assert spectrum.y.tolist() == [1.5, 2.5, 3.5]


def test_named_columns_are_taken_and_pixels_without_x_left_out() -> None:
    text = (
        "File Version;BWSpec4.11_1\nmodel;X\nlaser_wavelength;784,82\n"
        "Pixel;Wavelength;Raman Shift;Dark;Raw data #1;Dark Subtracted #1;\n"
        "0;   ;   ;1,0;2,0;1,0;\n1;785,0;100,5;1,0;3,0;2,0;\n2;786,0;102,5;1,0;4,0;3,0;\n"
    )
    (spectrum,) = read(text.encode())
    assert spectrum.technique is Technique.RAMAN
    assert (spectrum.x.tolist(), spectrum.y.tolist()) == ([100.5, 102.5], [2, 3])
    assert spectrum.remarks["MODEL"] == "X"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 2\n2 3\n3\n4 5\n", "damaged-spectrum"),
        ("1 2\n2 3\n3 x\n", "damaged-spectrum"),
        ("1 2\n2 3\n\n3 4 5\n", "damaged-spectrum"),
        ("1,5\t2\n2.5\t3\n", "damaged-spectrum"),
        ("1 2 3\n2 3 4\n", "unsupported-spectrum"),
        ("100,5, 1,5\n101,5, 2,5\n", "unsupported-spectrum"),
        ("1\n2\n3\n", "not-a-spectrum"),
        ("Dear all,\nno numbers today.\n", "not-a-spectrum"),
        ("WDF1....", "unsupported-spectrum"),
        ("\0\1\2", "not-a-spectrum"),
        ("", "not-a-spectrum"),
    ],
)
def test_what_is_no_table_throughout_is_refused(text: str, code: str) -> None:
    with pytest.raises(SpectrumError) as caught:
        read(text.encode())
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 234,5", 1234.5),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("0. 44E+01", 4.4),
        ("1_0", None),
        ("", None),
        ("nan", None),
    ],
)
def test_numbers_of_all_countries(text: str, value: float | None) -> None:
    assert number(text) == value


@settings(deadline=None)
@given(st.text(st.sampled_from("0123456789.,;\t \nex#-=\0"), max_size=200))
def test_any_text_is_an_error_or_a_whole_spectrum(text: str) -> None:
    try:
        spectra = read(text.encode())
    except SpectrumError:
        return
    assert all(each.x.shape == each.y.shape for each in spectra)


@needs_spectra
def test_the_text_of_an_instrument_is_what_its_spc_holds() -> None:
    (text,), (spc,) = real("*/PST_Reflex532_*.txt"), real("*/PST_Reflex532_*.spc")
    (one,), (other,) = read(text.read_bytes()), read(spc.read_bytes())
    assert one.x.size == other.x.size
    assert (media_type(text.read_bytes()), media_type(spc.read_bytes())) == ("text/plain", "application/x-galactic-spc")
