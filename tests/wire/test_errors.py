"""The error tree and the table of codes are complete and agree."""

import re

import pytest

from callsheet.wire import (
    RULES,
    CallsheetError,
    CloseCode,
    ErrorCode,
    ProtocolError,
    error_for,
    errors,
)


def test_the_table_has_every_code_once() -> None:
    assert list(RULES) == list(ErrorCode)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert drawn == [subclass.__name__ for subclass in CallsheetError.__subclasses__()]
    assert all(not subclass.__subclasses__() for subclass in CallsheetError.__subclasses__())


def test_every_class_has_a_code() -> None:
    assert {rule.raises for rule in RULES.values()} == set(CallsheetError.__subclasses__())


def test_every_close_code_but_normal_has_one_error_code() -> None:
    closes = [rule.closes for rule in RULES.values() if rule.closes is not None]
    assert sorted(closes) == sorted(set(CloseCode) - {CloseCode.NORMAL})


def test_only_closing_codes_are_resumable() -> None:
    assert all(rule.closes for rule in RULES.values() if rule.resumable)


@pytest.mark.parametrize("code", ErrorCode)
def test_error_for_raises_the_class_of_the_table(code: ErrorCode) -> None:
    error = error_for(code, "no", field="f", value="v", limit=1.0, retry_after_s=2.0)
    assert type(error) is RULES[code].raises
    assert (error.code, error.message, error.field, error.value) == (code, "no", "f", "v")
    assert (error.limit, error.retry_after_s) == (1.0, 2.0)
    assert str(error) == f"{code.value}: no"


def test_an_error_survives_being_raised_and_caught_as_its_base() -> None:
    with pytest.raises(CallsheetError) as caught:
        raise error_for(ErrorCode.BAD_JSON, "no")
    assert isinstance(caught.value, ProtocolError)
