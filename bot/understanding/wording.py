"""Which of the things we listen for does a text say? The word lists are data: `lexicon/en.json`, `lexicon/zh.json`.

The tables here are about how it is said: meant, asked, supposed, denied. Whose matter it is: `whose.py`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from bot.understanding.folding import fold
from bot.understanding.language import Language
from bot.understanding.whose import GRAVE, LAW, of_others

_LEXICON: Final = Path(__file__).parent / "lexicon"
_SENTENCE: Final = re.compile(r"[!?;。！？；\r\n]+|(?<!\.)\.+(?=[\s㐀-鿿]|$)")
_CLAUSE: Final = re.compile(r"[,，、:：]")

DENIABLE: Final = frozenset(
    {
        "theft", "scam", "data_leak", "frozen", "wrong_network", "legal", "regulator", "refund_dispute",
        "liquidation", "person_asked", "distress",
    }
)  # fmt: skip
"""Features that a "not" in front takes back, and that a "what if" does not assert."""

_SPEECH: Final = frozenset({"person_asked", "no_human", "anger", "how_to", "distress"})
"""What is done by saying it: a "what if" in the same sentence takes nothing back."""

_MEANT: Final = re.compile(
    r"\b(?:i|we)(?:'ll| will| shall|'m going| am going| have to|'m forced)\b|\bor (?:else|i|we)\b|\botherwise\b"
    r"|\bunless\b"
    r"|\bmy (?:lawyer|attorney|solicitor)\b|\bn't\b|\bnot\b"
    r"|再不|还不|仍[不未]|否则|不然|我就|我会|我将|只能|只好|[不没未].{0,20}(?:就|将|会|要)"
)
"""What makes an "if" the condition of a threat and no question: "if it is not solved I will sue you"."""

_ASKED: Final = re.compile(
    r"^(?:hi |hello |so |and |dear \w+ )?(?:can|could|will|would|does|do|did|is|are|may|what would|how do|how to"
    r"|how does"
    r"|which coin|(?:\w+ ){0,5}i suppose)\b(?!.*\b(?:complain\w*|sue|report|against)\b.{0,20}\b(?:you|u"
    r"|this (?:exchange|company))\b)"
    r"(?!.*\b(?:or|before|must|should|i'll|we'll) (?:i|we|go|call|sue|get)\b)(?!.*\b(?:i|we) (?:will|have to"
    r"|need to|must)\b)"
    r"(?!.*\b(?:my (?:lawyer|attorney|police|court)|give|send|provide|confirm|need)\b)"
    r"|监管.{0,6}会不会|(?:可以|怎么|值得|认识).{0,6}(?:报警|起诉|仲裁|律师)"
)
"""A question about law that threatens nobody: "can police see my trades"."""

_SUPPOSED: Final = re.compile(
    r"\b(?:against|vs\.?|(?:protect\w*|safe|secure\w*) (?:\w+ ){0,4}from) (?:hackers?|theft|hacking|scams?|phishing"
    r"|sim)\b|\b(?:hackers would|would stop an?)\b"
    r"|\b(?:if|in case) (?:an?|the|you|they|one|anyone|your|their)(?: \w+)? (?:gets?|is|are|was|were"
    r"|got)(?: \w+)? (?:hacked|stolen|compromised|scammed)\b"
    r"|\b(?:in|after|trades) the news\b|\binsur\w+\b.{0,30}\bhack|\b(?:horror|one.star) (?:stories|reviews)"
    r"|\breviews (?:saying|about|full)|\bto those who\b|\byou read of\b|\bdid you (?:hear|read|see)\b"
    r"|\b(?:nervous|worried|afraid|paranoid) (?:about|of) (?:being |getting |a |the )?(?:hack|theft|scam)"
    r"|\bmy friend says\b"
    r"|\b(?:an acquaintance|a colleague|my neighbou?r)\b.{0,20}\blost\b|\b(?:another (?:site|exchange)"
    r"|hacked elsewhere)\b"
    r"|\bhow (?:do|can|to|would) (?:i |we |you |one )?(?:spot|recogni[sz]e|tell|detect|sue)\b"
    r"|被(?:盗|黑|骗|冻结?)了?的话|被(?:盗|黑).{0,8}(?:赔付|保险)|新闻(?:说|里|上)|看(?:了|到|完)?.{0,8}新闻"
    r"|(?:隔壁|那家|一家|别的).{0,6}交易所.{0,8}(?:被[黑盗]|法院)|在?别家被|邻居.{0,8}被[黑盗]|传.{0,10}被黑"
    r"|听朋友说|评论说"
    r"|能(?:偷|盗)我|怎么(?:分辨|辨别|识别|看出)|(?:有人|又一个|一堆人).{0,4}(?:说要|喊).{0,6}(?:起诉|退款|报警)"
    r"|被盗的帖子"
)
"""News, hearsay and precaution: nothing that has happened to the sender."""

_DENIED: Final = re.compile(
    r"(?:\bno|\bnone of (?:us|them|my friends) (?:has |have )?(?:ever )?(?:been )?|\bnobody's"
    r"|\bnever (?:ever )?(?:been |had )?"
    r"|\bthought (?:that )?(?:i'd|i had|i was|my (?:account|money|coins|wallet) (?:was|were|had))(?: been)?) ?$"
    r"|以为(?:自己|账户|账号|我|是|我的|钱|币)*(?:已经?|都)?$|(?:没|未|没有|从没|从未)(?:出过|遇到过?|发生过?"
    r"|听说过?)$|(?:没|未|从未|没有)$"
)
"""A "no" or a mistake since cleared up, beside the negations of the word lists."""

_NO_SUCH_THING: Final = re.compile(
    r"\banti.?phishing\b|[防反]钓鱼"
    # The loss of a device is a question of settings; what was done with it is said in other words.
    r"|\b(?:phone|laptop|bag|purse|id|passport|tablet) (?:was |is |got |has been |been )*stolen\b"
    r"|(?<!with my )(?<!using my )\bstolen (?:phone|laptop|bag|id|passport|tablet)\b|\bsim ?swapped to e-?sim\b"
    r"|\bidentity theft\b"
    # An answer of the interface, a profession, a rule or a licence.
    r"|(?:\b(?:401|gets?|says|error):? ?\"?|\")unauthori[sz]ed\b|\b(?:from|been|being|as|am|i'm"
    r"|needs) an? (?:lawyer|attorney|solicitor)\b"
    r"|\barbitration team\b|\bregulators? (?:has licensed|hides?|says)\b|监管(?:牌照|要求|通知|点名|政策|规定)"
    # 告 of a notice is no lawsuit; the number of a case is no hotline.
    r"|(?:[广公报转祷忠]|(?<!报)警)告|(?<![a-z])[a-z]{1,5}-[0-9]{4,8}[0-9a-z-]*"
    # Who moves the own coins out has lost none; who asks whether he did it wrong did it himself.
    r"|(?:想|要|先|连夜|准备|打算)把?.{0,4}(?:币|钱|资产)(?:都|全|全部|剩)*(?:提走|转走)|是不是我.{0,4}错"
)
"""Words that sound like one of our features and are not; they are taken out before we listen."""


@dataclass(frozen=True)
class Lexicon:
    """The word list of one language, compiled."""

    features: dict[str, re.Pattern[str]]
    negation: re.Pattern[str]
    hypothetical: re.Pattern[str]


@lru_cache(maxsize=2)
def lexicon_of(language: Language) -> Lexicon:
    data = json.loads((_LEXICON / f"{language}.json").read_text(encoding="utf-8"))
    return Lexicon(
        features={code: re.compile("|".join(patterns)) for code, patterns in data["patterns"].items()},
        negation=re.compile(data["negation"]),
        hypothetical=re.compile("|".join(data["hypothetical"])),
    )


def features_of(text: str, language: Language) -> frozenset[str]:
    """The features that some sentence of the text asserts."""
    lexicon = lexicon_of(language)
    found: set[str] = set()
    unheard: frozenset[str] | None = None
    for raw in _SENTENCE.split(text):
        sentence = _NO_SUCH_THING.sub(" ", fold(raw))
        said = _said(sentence, lexicon) - found
        if said - _SPEECH:  # of the rest it does not matter whose matter it is
            unheard = of_others(fold(text)) if unheard is None else unheard
            said -= unheard | _supposed(sentence, lexicon)
        found |= said
    return frozenset(found)


def _said(sentence: str, lexicon: Lexicon) -> frozenset[str]:
    return frozenset(code for code, pattern in lexicon.features.items() if _asserted(sentence, code, pattern, lexicon))


def _supposed(sentence: str, lexicon: Lexicon) -> frozenset[str]:
    """The features that this sentence only supposes, asks about or has heard of."""
    silent: frozenset[str] = frozenset()
    if lexicon.hypothetical.search(sentence):
        silent = frozenset(lexicon.features) - _SPEECH
        if _MEANT.search(sentence):
            silent -= LAW
    if _SUPPOSED.search(sentence):
        silent |= GRAVE
    return silent | LAW if _ASKED.search(sentence) else silent


def _asserted(sentence: str, code: str, pattern: re.Pattern[str], lexicon: Lexicon) -> bool:
    """Does the sentence say it at least once without taking it back?"""
    for match in pattern.finditer(sentence):
        if code not in DENIABLE or not _denied(sentence, match.start(), code, lexicon):
            return True
    return False


def _denied(sentence: str, start: int, code: str, lexicon: Lexicon) -> bool:
    """Does a negation of the same clause stand right before `start`?"""
    before = _CLAUSE.split(sentence[max(0, start - 60) : start])[-1]
    return bool(lexicon.negation.search(before) or (code in GRAVE and _DENIED.search(before)))
