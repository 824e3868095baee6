from __future__ import annotations

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.trainers import WordLevelTrainer

from callsheet_bench.workload import WORLD
from callsheet_server.tools.town.cast import cast


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """A word a token."""
    made = Tokenizer(WordLevel(unk_token="?"))
    made.pre_tokenizer = Whitespace()
    texts = [WORLD, *(one.persona for one in cast(512, 1)), *map(str, range(1000))]
    made.train_from_iterator(texts, WordLevelTrainer(special_tokens=["?"]))
    return made
