"""Model servers' failures, as clients are told."""

from __future__ import annotations

from callsheet_server.engine.errors import EngineOverloadedError, ModelLoadingError
from callsheet_server.engine.http_errors import error_for_status


def test_the_reason_of_a_502_is_told() -> None:
    error = error_for_status("llama-swap", 502, b'{"error": "upstream exited: out of memory"}')
    assert str(error) == (
        "llama-swap cannot be reached (status 502): upstream exited: out of memory"
    )


def test_a_503_with_a_time_is_a_model_that_loads() -> None:
    loading = error_for_status("vllm", 503, b"loading", "7")
    assert isinstance(loading, ModelLoadingError)
    assert loading.retry_after_s == 7.0
    assert type(error_for_status("vllm", 503, b"busy")) is EngineOverloadedError
