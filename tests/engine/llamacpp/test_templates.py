"""Chat templates of GGUF files, rendered as transformers renders them."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine.harness import tiny_tokenizer
from engine.tiny_gguf import write_tiny_gguf

from callsheet_server.engine.chat_format import ChatFormat
from callsheet_server.engine.llamacpp.tokenizer import LlamaTokenizer
from callsheet_server.engine.models.gguf_file import read_gguf

GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)
THINKING = (
    "{%- for m in messages %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{%- if enable_thinking %}{{ '<think>\n' }}{%- endif %}{%- endif %}"
)


@pytest.mark.parametrize(
    ("template", "system_role", "cue"),
    [
        (GEMMA, False, "<start_of_turn>model\n"),
        (MISTRAL, False, ""),
        (THINKING, True, "<|im_start|>assistant\n"),
    ],
    ids=["gemma", "mistral", "thinking"],
)
def test_templates_are_taken_apart_as_transformers_would(
    tmp_path: Path, template: str, system_role: bool, cue: str
) -> None:
    file = read_gguf(write_tiny_gguf(tmp_path / "m.gguf", template=template))
    ours = ChatFormat.of(LlamaTokenizer(file))
    theirs = tiny_tokenizer()
    theirs.chat_template = template
    theirs.bos_token = "<|endoftext|>"
    assert ours == ChatFormat.of(theirs)
    assert (ours.system_role, ours.cue, ours.begins_in_thought) == (system_role, cue, False)
