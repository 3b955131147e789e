"""What ``parse`` says of specimens, of damaged zones, and of anything else."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.processing.mrz.check_digits import ALPHABET, VALUES
from edge_agent.processing.mrz.formats import FormatName, recognize
from edge_agent.processing.mrz.parse import parse
from edge_agent.processing.mrz.result import Finding, Mrz, Outcome
from tests.processing.mrz.zones import GOOD

TODAY = date(2026, 11, 24)
PASSPORT = parse(GOOD["TD3 of Doc 9303 part 4"], today=TODAY).lines


def with_line_2(lines: tuple[str, ...], column: int, text: str) -> tuple[str, ...]:
    """The lines with ``text`` at a column (from 1, as people count) of the second."""
    return (lines[0], lines[1][: column - 1] + text + lines[1][column - 1 + len(text) :], *lines[2:])


def failed(mrz: Mrz) -> set[str]:
    return {name for name, outcome in mrz.checks.items() if outcome is Outcome.FAILED}


@pytest.mark.parametrize("name", GOOD)
def test_specimens_are_valid(name: str) -> None:
    mrz = parse(GOOD[name], today=TODAY)
    assert mrz.valid, mrz.problem
    assert mrz.problem == ""


def test_a_passport_gives_all_its_fields() -> None:
    mrz = parse(PASSPORT, today=TODAY)
    assert mrz.format is FormatName.TD3
    fields = mrz.fields
    assert (fields.document_code, fields.issuing_state, fields.nationality) == ("P", "UTO", "UTO")
    assert (fields.surname, fields.given_names, fields.names_truncated) == ("ERIKSSON", "ANNA MARIA", False)
    assert (fields.document_number, fields.personal_number) == ("L898902C3", "ZE184226B")
    assert (str(fields.birth_date), fields.sex, str(fields.expiry_date)) == ("1974-08-12", "F", "2012-04-15")
    assert set(mrz.checks.values()) == {Outcome.PASSED}
    assert mrz.findings == (Finding.EXPIRED,)


@pytest.mark.parametrize(
    ("name", "number", "optional_data"),
    [
        ("TD1 with a long document number, Doc 9303 part 11", "D23145890734", ""),
        ("TD2 with a long document number, Doc 9303 part 11", "D23145890734", ""),
        ("TD1 with a long document number and optional data", "12345678901", "OHDA1"),
        ("TD1 with the longest document number", "1234567890123456788012", ""),
        ("Belgian identity card of 12 digits", "000000387289", ""),
        ("Portuguese citizen card, whose check digit covers the filler", "000024759ZZ7", ""),
        ("old Belgian identity card", "590330101", "85020100200"),
    ],
)
def test_long_document_numbers_are_joined(name: str, number: str, optional_data: str) -> None:
    fields = parse(GOOD[name], today=TODAY).fields
    assert (fields.document_number, fields.optional_data) == (number, optional_data)


def test_both_optional_data_of_a_td1_are_kept_as_printed() -> None:
    fields = parse(GOOD["TD1 with a long document number and optional data"], today=TODAY).fields
    assert (fields.optional_data, fields.optional_data_2) == ("OHDA1", "OPT<DATA2")


def test_an_old_french_identity_card_gives_its_own_fields() -> None:
    mrz = parse(GOOD["old French identity card with department and office, two given names"], today=TODAY)
    assert mrz.format is FormatName.FRENCH_ID
    fields = mrz.fields
    assert (fields.surname, fields.given_names) == ("PETE", "NICOLAS PAUL")
    assert (fields.document_number, str(fields.issue_date)) == ("050995201874", "2005-09")
    assert (fields.issuing_office, fields.expiry_date) == ("952042", None)


def test_a_swiss_driving_licence_has_no_check_digits() -> None:
    mrz = parse(GOOD["Swiss driving licence"], today=TODAY)
    assert mrz.format is FormatName.SWISS_DRIVING_LICENCE
    assert set(mrz.checks) == {"characters", "dates"}
    assert (mrz.fields.document_number, mrz.fields.personal_number) == ("AAA001D", "305142128")


def test_what_is_empty_is_not_applicable_with_a_filler_and_passed_with_a_zero() -> None:
    german = parse(GOOD["German passport, no personal number, check digit <"], today=TODAY)
    assert german.checks["personal_number"] is Outcome.NOT_APPLICABLE
    new_zealand = parse(GOOD["passport of New Zealand, no personal number, check digit 0"], today=TODAY)
    assert new_zealand.checks["personal_number"] is Outcome.PASSED


@pytest.mark.parametrize("digit", ["<", "0"])
def test_an_expiry_of_fillers_is_unknown_and_no_fault(digit: str) -> None:
    passport = parse(GOOD["internal passport of Russia: digits in names, no expiry"], today=TODAY).lines
    mrz = parse(with_line_2(passport, 28, digit), today=TODAY)
    assert mrz.valid
    assert str(mrz.fields.expiry_date) == ""
    assert mrz.findings == ()


def test_letters_in_a_date_are_refused_though_its_check_digits_agree() -> None:
    # G and Q weigh the same as 6, H and R the same as 7 modulo 10.
    mrz = parse(with_line_2(PASSPORT, 14, "H4"), today=TODAY)
    assert mrz.checks["birth_date"] is Outcome.PASSED
    assert mrz.checks["composite"] is Outcome.PASSED
    assert failed(mrz) == {"characters", "dates"}
    assert mrz.problem.startswith("line 2, character 14: 'H' where a digit or < belongs")


@pytest.mark.parametrize(
    ("column", "text", "check"),
    [
        (10, "7", "document_number"),
        (20, "3", "birth_date"),
        (28, "<", "expiry_date"),
        (43, "2", "personal_number"),
        (44, "1", "composite"),
        (11, "UT0", "characters"),
        (11, "U<O", "characters"),
        (21, "H", "characters"),
        (30, "e", "characters"),
        (44, "<", "composite"),
    ],
)
def test_each_damage_fails_its_own_check(column: int, text: str, check: str) -> None:
    mrz = parse(with_line_2(PASSPORT, column, text), today=TODAY)
    assert not mrz.valid
    assert check in failed(mrz)
    assert mrz.problem


def test_digits_in_names_are_refused_outside_russia() -> None:
    mrz = parse((PASSPORT[0].replace("ANNA", "ANN4"), PASSPORT[1]), today=TODAY)
    assert failed(mrz) == {"characters"}


@pytest.mark.parametrize("birth", ["7413012", "7402304", "7400122", "74<8122", "0002307"])
def test_a_date_outside_the_calendar_is_refused(birth: str) -> None:
    mrz = parse(with_line_2(PASSPORT, 14, birth), today=TODAY)
    assert mrz.checks["dates"] is Outcome.FAILED
    assert mrz.fields.birth_date is None
    assert "the birth date is not in the calendar" in mrz.problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no characters"),
        ("hello", "lines of 5 characters"),
        (f"{'I<SVKNOVAK<<JAN':<<34}\n123456<AA5SVK8110251M1801020749313", "old Slovak identity cards"),
        (f"{PASSPORT[0]}\n{PASSPORT[1][:-1]}", "lines of 44 + 43 characters, expected 36 + 36 or 44 + 44"),
        ("\n".join(["<" * 36] * 4), "lines of 36 + 36 + 36 + 36 characters"),
        ("I<UTOD231458907<<<<<<<<<<<<<<<", "lines of 30 characters"),
    ],
)
def test_what_is_no_zone_is_refused_with_its_reason(text: str, said: str) -> None:
    mrz = parse(text, today=TODAY)
    assert mrz.format is None
    assert not mrz.valid
    assert said in mrz.problem


def test_names_that_fill_their_field_may_be_truncated() -> None:
    fields = parse(GOOD["Malaysian passport with a surname only, truncated"], today=TODAY).fields
    assert fields.names_truncated
    assert (fields.surname, fields.given_names) == ("ABC DEFG HIJKLMNOP QRS TUV XYZABCDEFGHI", "")


def test_today_is_the_default() -> None:
    assert Finding.EXPIRED in parse(PASSPORT).findings


@pytest.mark.parametrize(
    ("lines", "finding"),
    [
        (("P<QQQ" + PASSPORT[0][5:], PASSPORT[1]), Finding.ISSUING_STATE_UNKNOWN),
        (with_line_2(PASSPORT, 11, "QQQ"), Finding.NATIONALITY_UNKNOWN),
        (with_line_2(PASSPORT, 11, "<<<"), Finding.NATIONALITY_UNKNOWN),
        (("X" + PASSPORT[0][1:], PASSPORT[1]), Finding.DOCUMENT_CODE_UNUSUAL),
        (("P<UTO<<ANNA<MARIA".ljust(44, "<"), PASSPORT[1]), Finding.SURNAME_EMPTY),
        (with_line_2(PASSPORT, 1, "<<<<<<<<<0"), Finding.DOCUMENT_NUMBER_EMPTY),
    ],
)
def test_oddities_are_findings_and_no_failed_checks(lines: tuple[str, ...], finding: Finding) -> None:
    mrz = parse(lines, today=TODAY)
    assert finding in mrz.findings
    assert failed(mrz) <= {"composite"}


def test_a_birth_that_may_lie_ahead_is_a_finding() -> None:
    mrz = parse(with_line_2(PASSPORT, 14, "261225"), today=TODAY)
    assert Finding.BIRTH_IN_FUTURE not in mrz.findings, "the passport expired in 2012"
    mrz = parse(with_line_2(with_line_2(PASSPORT, 14, "261225"), 22, "360101"), today=TODAY)
    assert Finding.BIRTH_IN_FUTURE in mrz.findings
    assert str(mrz.fields.birth_date) == "1926-12-25"


def test_a_card_issued_next_year_is_not_yet_valid() -> None:
    mrz = parse("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<\n2706923102858CORINNE<<<<<<<6512068F6", today=TODAY)
    assert Finding.NOT_YET_VALID in mrz.findings


@given(st.text() | st.lists(st.text(), max_size=5))
def test_no_text_whatever_makes_it_raise(text: str | list[str]) -> None:
    mrz = parse(text, today=TODAY)
    assert mrz.valid == (not mrz.problem)


SHAPES = st.sampled_from([(44, 44), (36, 36), (30, 30, 30), (30,), (9, 30, 30)])


@given(
    SHAPES.flatmap(lambda shape: st.tuples(*(st.text(ALPHABET + "éa", min_size=n, max_size=n) for n in shape))),
    st.sampled_from(["", "P<UTO", "V<UTO", "IDFRA", "D1FRA", "D1NLD", "PNRUS"]),
)
def test_no_text_of_the_right_shape_makes_it_raise(lines: tuple[str, ...], start: str) -> None:
    lines = ((start + lines[0])[: len(lines[0])], *lines[1:])
    mrz = parse(lines, today=TODAY)
    assert mrz.valid == (not mrz.problem)
    assert mrz.lines == lines


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_a_changed_character_under_a_check_digit_is_noticed_outside_its_blind_class(
    name: str, data: st.DataObject
) -> None:
    lines = parse(GOOD[name], today=TODAY).lines
    fmt = recognize(lines)
    assert fmt is not None
    covered = sorted(
        {
            (line, c)
            for digit in fmt.check_digits_of(lines)
            for line, start, end in digit.covers
            for c in range(start, end)
        }
    )
    if not covered:
        return
    line, column = data.draw(st.sampled_from(covered))
    old = lines[line][column]
    new = data.draw(st.sampled_from([c for c in ALPHABET if VALUES[c] % 10 != VALUES[old] % 10]))
    changed = list(lines)
    changed[line] = changed[line][:column] + new + changed[line][column + 1 :]
    assert not parse(changed, today=TODAY).valid


def test_findings_do_not_depend_on_what_else_was_parsed() -> None:
    mrz = parse(PASSPORT, today=TODAY)
    assert parse(PASSPORT, today=date(2011, 1, 1)).findings == ()
    assert replace(mrz, findings=()) == replace(parse(PASSPORT, today=TODAY), findings=())
