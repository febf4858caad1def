"""Short turns of speech that no class of the classifier stands for: read from the words, in both languages.

They decide only where a question is pending, so each pattern may be generous with what else such a text could mean.
"""

from __future__ import annotations

import re
from typing import Final

from bot.understanding.folding import fold

_EDGE: Final = " \t\r\n,.!?;:~…。，！？；：、～\"'“”‘’()（）"

_UNKNOWN_EN: Final = (
    r"(?:(?:sorry|well|hm+|oh|no|nope|honestly|actually|um)[, ]+){0,3}"
    r"(?:i (?:really )?(?:do not|don't|dont|didn't|did not|can't|cannot|can not|couldn't)"
    r" (?:know|remember|recall|have|find|see|get|tell)"
    r"(?: (?:it|that|this|one|any|them|what that is|where(?: that is| to (?:find|see|look)(?: it| that| this)?)?"
    r"|sure|exactly|yet|now|anymore"
    r"|off ?hand|the (?:hash|id|number|network|amount|order number|transaction hash|date))){0,3}"
    r"|(?:i have )?no idea|no clue|idk|dunno|don'?t know|(?:i'?m |i am )?not sure|unknown|not available|n/?a|none"
    r"|nothing|skip(?: (?:it|this|that|this one))?|pass|next(?: one| question)?|i have none|i don't have any"
    r"|there is none|there isn't one|i haven't got (?:it|one)|(?:i )?forgot(?: it)?)"
    r"(?:,? (?:sorry|please|thanks|at the moment|right now)){0,2}"
)
_UNKNOWN_ZH: Final = (
    r"(?:抱歉|不好意思|对不起|嗯|额|呃|这个|那个|我|真的|好像|应该|暂时|现在|也|都|[，, ]){0,5}"
    r"(?:不知道|不清楚|不晓得|不确定|不太清楚|不太确定|不记得|记不清|记不得|忘了|忘记了|想不起来|没有|没|找不到|看不到|查不到"
    r"|不懂|跳过|略过|下一个|下一题|无|暂无|没注意|说不清)"
    r"(?:这个|那个|了|呢|啊|哎|诶|呀|吧|耶|在哪(?:里|儿)?(?:看|找|查)?|是什么|是啥|哪里看|怎么看|的|[，, ]"
    r"|抱歉|不好意思|谢谢){0,5}"
)
_UNKNOWN: Final = re.compile(f"{_UNKNOWN_EN}|{_UNKNOWN_ZH}")
_CALLING: Final = re.compile(
    r"(?:hello|hi|hey|helo+|hallo)(?: (?:there|again|hello))?|(?:are )?you (?:still )?there|still there|where are you"
    r"|ping|(?:is )?(?:anybody|anyone|somebody|someone)(?: (?:there|here|alive|around|home))?"
    r"|喂+|(?:亲 ?)?(?:还)?在(?:不在|吗|么)|(?:请问)?有(?:没有)?人(?:在)?(?:吗|么)?|人呢|人在(?:吗|哪)"
    r"|人去哪(?:儿|里)?了|哈喽|你好|您好|亲"
)
_CALLS_LOUDLY: Final = re.compile(r"[?？]|there|any(?:body|one)|some(?:body|one)|where are|ping|喂|在|有|人")
_CORRECTION: Final = re.compile(
    r"(?<![a-z])(?:no|nope|not|actually|wrong|sorry|correction|i meant?|i mistyped|typo|instead|rather"
    r"|(?:should|must) (?:be|have been)|isn't|wasn't)(?![a-z])"
    r"|不是|不对|应该是|其实|改成|改为|更正|纠正|[说写打填弄搞]?错了|而是|才对"
)
_QUESTION: Final = re.compile(
    r"\?$|^(?:how|what|where|when|why|who|which|can|could|do|does|did|is|are|will|would|should|may)(?![a-z])"
    r"|[吗呢么嘛]$|怎么|怎样|如何|什么|为啥|多少|多久|几天|哪里|哪儿|能不能|可不可以|是不是|有没有|是否|请问"
)
_DENIED: Final = (
    r"(?:(?<![a-z])not|n't|(?<![a-z])never|不是|并非|没有?用|不)\s{0,2}"
    r"(?:(?:on|the|via|by|in|a|using|走|用|选|在)\s{0,2}){0,2}"
)
_DOUBT: Final = re.compile(r"(?<![a-z])(?:but|not|no|still|yet|however)(?![a-z])|n't|但|不过|可是|还|還|没|沒|不")
_NO_DOUBT: Final = re.compile(r"(?:no|not a) problem|not bad|no more|没有?问题|沒有?問題|不错|不錯|不客气|不好意思")
_CONTENT: Final = re.compile(
    r"thank|(?<![a-z])thx|got it|(?<![a-z])i see(?![a-z])|understood|makes sense|(?:works|worked|solved|fixed)(?![a-z])"
    r"|谢|謝|懂了|明白|知道了|了解|好了|解决了|解決了|搞定"
)
_GREETING: Final = re.compile(
    r"(?<![a-z])(?:hello|hi|hey|hallo|hiya|greetings|good (?:morning|afternoon|evening|day))(?![a-z])"
    r"|你好|您好|早上好|上午好|下午好|晚上好|早安|晚安|大家好|哈喽|哈囉|嗨"
)
_WHO: Final = re.compile(
    r"(?:(?:hi|hello|hey|so|wait)[, ]+)?(?:are you|am i (?:talking|speaking|chatting) (?:to|with)|is this)"
    r" (?:an? |the )?(?:real |actual |live )?(?:ai |chat ?)?"
    r"(?:bot|robot|chatbot|ai|machine|computer|human|person|man|people)"
    r"(?: being)?(?: or (?:an? )?(?:real |actual |live )?(?:bot|robot|chatbot|ai|machine|human|person))?"
    r"|(?:请问)?[你您](?:是|们是)?(?:不是)?(?:机器人|機器人|真人|人工智能|智能客服|ai|人)"
    r"(?:还是(?:真人|人工|机器人|人))?(?:吗|嗎|吧|么|啊|呀|呢)?"
)
_TERSE: Final = 80
"""A longer text is more than one of these turns of speech."""


def says_unknown(text: str) -> bool:
    """ "I don't know", "skip", "没有", "不知道": the user cannot give what was asked for."""
    return len(text) <= _TERSE and _UNKNOWN.fullmatch(_plain(text)) is not None


def is_calling(text: str) -> bool:
    """Nothing but "hello", "在吗", "人呢", "???": somebody who wants to be heard."""
    if len(text) > _TERSE:
        return False
    words = " ".join(part for part in re.split(r"[\s,.!?。，！？~～…]+", fold(text)) if part)
    return _CALLING.fullmatch(words) is not None or (not words and "?" in fold(text))


def is_calling_loudly(text: str) -> bool:
    """ "hello?", "人呢", "anybody there": they have waited; a mere greeting has not."""
    return is_calling(text) and _CALLS_LOUDLY.search(fold(text)) is not None


def is_correction(text: str) -> bool:
    """Something said before is taken back: "no, it was ...", "应该是..."."""
    return _CORRECTION.search(fold(text)) is not None


def doubts(text: str) -> bool:
    """ "Thanks, but it is still not there": content it is not. Doubts too much rather than too little."""
    rest = _NO_DOUBT.sub(" ", fold(text))
    return _DOUBT.search(rest) is not None or is_question(text)


def is_content(text: str) -> bool:
    """ "That worked, thanks", "got it", "懂了": said after an answer, it is a yes."""
    return _CONTENT.search(fold(text)) is not None and not doubts(text)


def greets(text: str) -> bool:
    """A greeting is among the words; "help" and "I have a problem" are none."""
    return _GREETING.search(fold(text)) is not None


def asks_who(text: str) -> bool:
    """ "Are you a robot?", "你是真人吗": somebody who wants to know, and has not asked for a person yet."""
    return len(text) <= _TERSE and _WHO.fullmatch(_plain(text)) is not None


def is_question(text: str) -> bool:
    return _QUESTION.search(fold(text)) is not None


def asks_back(text: str) -> bool:
    """A question in place of an answer: "why do you need that?", "还需要我提供什么？"."""
    return re.search(r"(?:\?|[吗嗎呢])$", fold(text).strip()) is not None


def denies(text: str, value: str) -> bool:
    """Whether it is this value that the text takes back: "not ERC-20 but TRC20" denies ERC20."""
    letters = [re.escape(letter) for letter in fold(value) if not letter.isspace()]
    return re.search(_DENIED + r"[\s-]?".join(letters), fold(text)) is not None


def _plain(text: str) -> str:
    return fold(text).strip(_EDGE)
