"""The wire form of an error."""

from callsheet.wire.errors import CallsheetError
from callsheet.wire.session import Error

__all__ = ["error_message"]


def error_message(error: CallsheetError) -> Error:
    """The wire form of an error."""
    return Error(
        id=error.request_id,
        code=error.code,
        message=error.message,
        field=error.field,
        value=error.value,
        limit=error.limit,
        retry_after_s=error.retry_after_s,
    )
