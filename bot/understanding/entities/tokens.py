"""Words of mixed English and Chinese text for spaCy: identifiers stay whole, Chinese goes character by character.

spaCy's tokenizers do one or the other: the English one takes a run of Chinese for one word, the Chinese one cuts
"A12345" into six.
"""

from __future__ import annotations

import re
from typing import Final

from spacy.tokens import Doc
from spacy.vocab import Vocab

_TOKEN: Final = re.compile(
    r"https?://[!-~]{1,2000}"  # no name inside an address is meant as that name
    r"|[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}"
    r"|[A-Za-z0-9]{1,2000}"
    r"|[^A-Za-z0-9]",
    re.DOTALL,
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class MixedTokenizer:
    """Takes any string; the offsets of its tokens are those of the string."""

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab

    def __call__(self, text: str) -> Doc:
        words: list[str] = []
        spaces: list[bool] = []
        for word in _TOKEN.findall(_SURROGATE.sub("\ufffd", text)):
            if word == " " and words and not spaces[-1]:
                spaces[-1] = True
            else:
                words.append(word)
                spaces.append(False)
        return Doc(self._vocab, words=words, spaces=spaces)
