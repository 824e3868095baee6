"""The tokenizer of the model SGLang serves."""

from __future__ import annotations

from callsheet_server.engine.chat_format import ChatFormat
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.prompt import PromptBuilder

__all__ = ["load_prompts"]


def load_prompts(tokenizer: str, context_limit_tokens: int) -> PromptBuilder:
    """Make what turns requests into tokens. Blocks; may fetch the tokenizer from the hub.

    Args:
        tokenizer: folder or hub id.
        context_limit_tokens: longest prompt plus reply.

    Raises:
        EngineStartError: it is not to be had here, or has no usable chat template.
    """
    try:
        from transformers import AutoTokenizer, PreTrainedTokenizerFast
    except ImportError as error:
        raise EngineStartError(
            f"engine 'sglang' needs {error.name}; run: pip install 'callsheet[server,torch]'"
        ) from error
    try:
        loaded = AutoTokenizer.from_pretrained(tokenizer)
    except Exception as error:
        raise EngineStartError(
            f"sglang.tokenizer: {tokenizer!r} cannot be loaded here ({str(error)[:200]}); set it "
            "to the model's hub id or to a folder with tokenizer.json and tokenizer_config.json"
        ) from error
    if not isinstance(loaded, PreTrainedTokenizerFast):
        raise EngineStartError(f"sglang.tokenizer: {tokenizer} has no tokenizer.json; convert it")
    return PromptBuilder(loaded, ChatFormat.of(loaded), tokenizer, context_limit_tokens)
