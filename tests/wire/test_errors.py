"""The error tree and the table of codes are complete and agree."""

import re
from pathlib import Path

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

PAGE = Path(__file__).parents[2] / "server" / "callsheet_server" / "page" / "protocol.js"


def tree() -> list[type[CallsheetError]]:
    """The branches; the SDK's ``BatchError`` gathers several errors and is none of them."""
    return [one for one in CallsheetError.__subclasses__() if one.__module__ == errors.__name__]


def test_the_table_has_every_code_once() -> None:
    assert list(RULES) == list(ErrorCode)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert drawn == [subclass.__name__ for subclass in tree()]
    assert all(not subclass.__subclasses__() for subclass in tree())


def test_every_class_has_a_code() -> None:
    assert {rule.raises for rule in RULES.values()} == set(tree())


def test_every_close_code_but_normal_has_one_error_code() -> None:
    closes = [rule.closes for rule in RULES.values() if rule.closes is not None]
    assert sorted(closes) == sorted(set(CloseCode) - {CloseCode.NORMAL})


def test_only_after_a_close_does_a_client_come_back() -> None:
    assert all(rule.closes for rule in RULES.values() if rule.resumable or rule.returns)
    assert not any(rule.resumable and rule.returns for rule in RULES.values())


def test_the_page_has_the_close_codes_of_the_table() -> None:
    source = PAGE.read_text(encoding="utf-8")
    found = {
        name: {int(code) for code in codes.split(",")}
        for name, codes in re.findall(r"const (\w+) = new Set\(\[([\d, ]+)\]\);", source)
    }
    closes = {rule.closes: rule for rule in RULES.values() if rule.closes}
    # 1001 and 1006 are WebSocket's own: the other side went away, the connection was lost.
    assert found == {
        "RESUMABLE": {1001, 1006} | {code for code, rule in closes.items() if rule.resumable},
        "FINAL": {code for code, rule in closes.items() if rule.is_final},
    }


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
