"""JCAMP-DX is read in all its forms, and a file that contradicts itself is an error."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.processing.spectra.jcamp import parse
from edge_agent.processing.spectra.spectrum import MAX_POINTS, Spectrum, SpectrumError, Technique
from edge_agent.simulate.spectra import difdup
from tests.processing.spectra.data import needs_spectra, real

HEAD = "##TITLE=t\n##JCAMP-DX=4.24\n##DATA TYPE=INFRARED SPECTRUM\n##XUNITS=1/CM\n##YUNITS=ABSORBANCE\n"
VALUES = [1.0, 2, 3, 3, 2, 1, 0, -1, -2, -3]
"""The example of the standard, which writes it in each of its forms."""


def table(*lines: str, first: str = "0", last: str = "9", points: str = "10", extra: str = "") -> bytes:
    ends = f"##FIRSTX={first}\n##LASTX={last}\n##NPOINTS={points}\n{extra}"
    return (HEAD + ends + "##XYDATA=(X++(Y..Y))\n" + "\n".join(lines) + "\n##END=\n").encode()


def only(data: bytes) -> Spectrum:
    (spectrum,) = parse(data)
    return spectrum


@pytest.mark.parametrize(
    "lines",
    [
        ["0 1 2 3 3 2 1 0 -1 -2 -3"],
        ["0 1 2 3 3 2", "5 1 0 -1 -2 -3"],
        ["0+1+2+3+3+2+1+0-1-2-3"],
        ["0ABCCBA@abc"],
        ["0ABCTBA@abc"],
        ["0AJJ%jjjjjj", "9c"],
        ["0AJT%jX", "9c"],
        ["0AJJ%j", "4BjjV", "9c"],
        ["0 1.0 2e0 3.E0 +3 2,1;0 -1 -20E-1 -3"],
    ],
    ids=["FIX", "two lines", "PAC", "SQZ", "SQZDUP", "DIF", "DIFDUP", "DIFDUP, two lines", "AFFN"],
)
def test_the_forms_of_the_standard_say_the_same(lines: list[str]) -> None:
    spectrum = only(table(*lines))
    assert spectrum.y.tolist() == VALUES
    assert spectrum.x.tolist() == list(range(10))
    assert spectrum.technique is Technique.INFRARED
    assert (spectrum.x_unit, spectrum.y_unit, spectrum.doubts) == ("1/cm", "absorbance", ())


@settings(deadline=None)
@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=300),
    st.sampled_from([1, 3]),
)
def test_differences_come_back_as_they_were_written(values: list[int], repeat: int) -> None:
    counts = np.repeat(np.array(values, np.int64), repeat)
    x = 500.0 + 1.5 * np.arange(counts.size)
    data = table(*difdup(x, counts), first=str(x[0]), last=str(x[-1]), points=str(counts.size))
    spectrum = only(data)
    assert spectrum.y.tolist() == counts.tolist()
    np.testing.assert_allclose(spectrum.x, x)


@pytest.mark.parametrize(
    ("lines", "changed", "code"),
    [
        (["0AJT%jX", "9b"], {}, "y-mismatch"),
        (["0 1 2 3 3 2 1 0 -1 -2"], {}, "truncated-spectrum"),
        (["0 1 2 3 3 2 1 0 -1 -2 -3 -4"], {}, "points-mismatch"),
        (["0 1 2 3 3 2", "7 1 0 -1 -2 -3"], {}, "x-mismatch"),
        (["0 1 2 3 3 2", "5 1 0 -1 -2 -3"], {"last": "19"}, "x-mismatch"),
        (["0 1 2 3 3 2 1 0 -1 -2 -3"], {"extra": "##DELTAX=3\n"}, "x-mismatch"),
        (["0 1 2 3 3 z 1 0 -1 -2 -3"], {}, "damaged-spectrum"),
        (["0 1 2 3 3 2 1 0 -1 -2 -"], {}, "damaged-spectrum"),
        (["TAJJ"], {}, "damaged-spectrum"),
        (["0T"], {}, "damaged-spectrum"),
        ([], {}, "truncated-spectrum"),
    ],
)
def test_what_contradicts_itself_is_an_error(lines: list[str], changed: dict[str, str], code: str) -> None:
    with pytest.raises(SpectrumError) as caught:
        parse(table(*lines, **changed))
    assert caught.value.code == code


def test_a_line_that_is_lost_is_noticed_without_a_count_of_points() -> None:
    lines = [f"{at} 1 2 3 4 5" for at in range(0, 50, 5) if at != 25]
    with pytest.raises(SpectrumError) as caught:
        parse(table(*lines, last="49", points=""))
    assert caught.value.code == "x-mismatch"


def test_a_step_that_the_lines_contradict_is_a_doubt_only() -> None:
    lines = [f"{at} 1 2 3 4 5" for at in range(0, 50, 5)]
    spectrum = only(table(*lines, last="49", points="50", extra="##DELTAX=0.01\n"))
    assert spectrum.x.tolist() == list(range(50))
    assert "DELTAX" in spectrum.doubts[0]


@pytest.mark.parametrize("sign", ["400,5", "400.5", " 400.5 ", "4,005E+02", "4.005D+02"])
def test_numbers_are_read_as_they_are_written_anywhere(sign: str) -> None:
    data = table("400,5 1,5 2,5", "402,5 3,5 4,5", first=sign, last="403,5", points="4")
    spectrum = only(data)
    assert spectrum.y.tolist() == [1.5, 2.5, 3.5, 4.5]
    assert spectrum.x[0] == 400.5


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [
        ("1,10 2,20\n3,30", [1, 2, 3], [10, 20, 30]),
        ("1.5, 10.5; 2.5, 20.5; 3.5, 30.5", [1.5, 2.5, 3.5], [10.5, 20.5, 30.5]),
        ("1,5 10,5 2,5\n20,5 3,5 30,5", [1.5, 2.5, 3.5], [10.5, 20.5, 30.5]),
        ("1,5;10,5;2,5;20,5;3,5;30,5", [1.5, 2.5, 3.5], [10.5, 20.5, 30.5]),
    ],
)
def test_the_count_of_points_says_what_a_comma_between_numbers_is(text: str, x: list[float], y: list[float]) -> None:
    spectrum = only(f"{HEAD}##NPOINTS=3\n##PEAK TABLE=(XY..XY)\n{text}\n##END=".encode())
    assert (spectrum.x.tolist(), spectrum.y.tolist()) == (x, y)
    assert spectrum.peaks


def test_blocks_in_a_block_are_spectra_of_their_own() -> None:
    inner = table("0 1 2", "2 3 4", last="3", points="4").decode()
    outer = f"##TITLE=all\n##DATA TYPE=LINK\n##BLOCKS=2\n{inner}{inner.replace('INFRARED', 'RAMAN')}##END=\n"
    first, second = parse(outer.encode())
    assert (first.technique, second.technique) == (Technique.INFRARED, Technique.RAMAN)
    assert first.y.tolist() == second.y.tolist() == [1, 2, 3, 4]


def test_pages_of_ntuples_take_their_factors_from_the_columns() -> None:
    text = (
        "##TITLE=n\n##DATA TYPE=NMR SPECTRUM\n##NTUPLES=NMR SPECTRUM\n##SYMBOL=X, R, I, N\n##VAR_DIM=3, 3, 3, 2\n"
        "##UNITS=HZ, A, B,\n##FIRST=10, 1, 1, 1\n##LAST=30, 3, 3, 2\n##FACTOR=10, 2, 0.5, 1\n"
        "##PAGE=N=1\n##DATA TABLE=(X++(R..R)), XYDATA $$ real\n1 1 2 3\n"
        "##PAGE=N=2\n##DATA TABLE=(X++(I..I)), XYDATA\n1AJJ\n3C\n##END NTUPLES=\n##END=\n"
    )
    real_part, imaginary = parse(text.encode())
    assert real_part.x.tolist() == [10, 20, 30]
    assert (real_part.y.tolist(), real_part.y_unit) == ([2, 4, 6], "a")
    assert (imaginary.y.tolist(), imaginary.y_unit) == ([0.5, 1, 1.5], "b")


def test_comments_line_ends_and_a_missing_value_do_no_harm() -> None:
    data = table("$$ whole line", "0 1 ? 3 $$ end", "3 4 5", last="4", points="5").replace(b"\n", b"\r")
    np.testing.assert_array_equal(only(data).y, [1, np.nan, 3, 4, 5])


def hostile() -> dict[str, bytes]:
    size = 5_000_000
    start = table(last="100", points="").split(b"\n##END")[0] + b"\n"
    peaks = HEAD.encode() + b"##PEAK ASSIGNMENTS=(XYMA)\n"
    return {
        "one endless line": start + b"0A" + b"J" * size,
        "duplicates of duplicates": start + b"0A" + b"s9999" * (size // 5),
        "many duplicates": start + b"0As9999\n" * (size // 8),
        "labels": HEAD.encode() + b"##A=\r" * (size // 5),
        "labels without =": HEAD.encode() + b"##A" * (size // 3),
        "nested blocks": b"##TITLE=x\n" * (size // 10),
        "blank lines": start + b" \n" * (size // 2),
        "digits": start + b"1" * size,
        "signs": start + b"-" * size,
        "columns": start + b"0 1 2 3 4 5 6 7 8\n" * (size // 18),
        "pairs": HEAD.encode() + b"##XYPOINTS=(XY..XY)\n" + b"1,2 3,4\n" * (size // 8),
        "brackets": peaks + b"(" * size,
        "half tuples": peaks + b"(1," * (size // 3),
        "a huge count": table("0 1", points="1" + "0" * 300) + b" " * size,
        "columns of ntuples": HEAD.encode()
        + b"##NTUPLES=\n##SYMBOL="
        + b"X," * (size // 2)
        + b"\n##DATA TABLE=(X++(R..R))",
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", hostile())
def test_five_hostile_megabytes_are_refused_at_once(name: str) -> None:
    data = hostile()[name]
    started = time.perf_counter()
    with pytest.raises(SpectrumError):
        parse(data)
    assert time.perf_counter() - started < 10  # half a second at most where nothing else runs


def test_no_more_points_are_made_than_a_spectrum_has() -> None:
    with pytest.raises(SpectrumError) as caught:
        parse(table("0A" + "s999999", points=""))
    assert caught.value.code == "too-many-points"
    assert MAX_POINTS < 10**6


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400))
def test_damage_anywhere_is_an_error_or_a_whole_spectrum(junk: bytes, at: int) -> None:
    good = table("0AJT%jX", "9c")
    for data in (good[:at] + junk + good[at:], good[:at] + junk + good[at + len(junk) :], junk):
        try:
            spectra = parse(data)
        except SpectrumError:
            continue
        assert all(each.x.shape == each.y.shape and each.x.size for each in spectra)


@needs_spectra
@pytest.mark.slow
def test_real_files_are_read_or_refused_for_a_reason() -> None:
    refused = {}
    files = real("jcamp_*/*")
    for path in files:
        try:
            spectra = parse(path.read_bytes())
        except SpectrumError as error:
            refused[path.name] = error.code
            continue
        for spectrum in spectra:
            assert spectrum.x.size == spectrum.y.size > 0
            assert np.isfinite(spectrum.x).all()
    assert len(refused) <= 0.06 * len(files)
    assert refused.keys() <= {"SPECFILE.DX", "xyinc2.jdx"}  # a wrong y-check; another file's lines in the middle


@needs_spectra
def test_the_same_spectrum_is_the_same_in_each_form() -> None:
    fixed, packed = (parse(path.read_bytes())[0] for path in [real(f"*/BRUK{form}.DX")[0] for form in ("AFFN", "PAC")])
    squeezed, differences = (
        parse(path.read_bytes())[0] for path in [real(f"*/BRUK{form}.DX")[0] for form in ("SQZ", "DIF")]
    )
    for other in (packed, squeezed, differences):
        np.testing.assert_allclose(other.x, fixed.x, rtol=1e-6)
        assert np.corrcoef(other.y, fixed.y)[0, 1] > 0.999999


@needs_spectra
def test_an_ion_mobility_spectrum_has_its_mobilities() -> None:
    (path,) = real("*/IMSDEMO.DX")
    spectrum = only(path.read_bytes())
    assert spectrum.technique is Technique.IMS
    assert "(1.73,<acetone>)" in spectrum.remarks[".REDUCEDMOBILITY"]
    assert spectrum.x_unit == "ms"
