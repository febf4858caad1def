"""Whether subject and text are those of a vacation note or an automatic reply, for programs that set no field.

The forms are those of Exchange, Outlook, Gmail, QQ, 163 and other autoresponders in English and both Chinese scripts.
"""

from __future__ import annotations

import re

MAX_NOTE = 1000
"""Characters. A note without any mark is short; a complaint that mentions an absence tends to be longer."""
GREETINGS = 3

_SAYS_SO = (
    r"(automatic[- ](reply|response|answer)|auto[- ]?(reply|response|responder|answer)|automated (reply|response)"
    r"|out of (the )?office( (auto[- ]?reply|reply|response|notice|message|notification))?|ooo|oof"
    r"|vacation (reply|response|notice)|on (vacation|holiday|annual leave)|away from (the office|my mail|my desk)"
    r"|(系统|系統|邮件|郵件|假期|休假|外出)?的?(自动|自動)(回复|回覆|回復|答复|答覆|应答|應答)(邮件|郵件|信息|通知)?"
    r"|(假期|休假|外出)(回复|回覆|通知)|(离开|離開|不在)(办公室|辦公室)|休假中|外出时助理程序)"
)
_SUBJECT = re.compile(rf"^[\W_]*({_SAYS_SO}|auto)\s*([:：\]】)）]|[-—–]+\s|$)\W*", re.IGNORECASE)
_REPLY = r"(re|aw|sv|antw|回复|回覆|答复|答覆)\s*(\[\d+\])?\s*[:：]"
_SUBJECT_BEFORE_REPLY = re.compile(rf"^[\W_]*{_SAYS_SO}\s*(?={_REPLY})", re.IGNORECASE)
_ANSWERS = re.compile(rf"^\W*{_REPLY}", re.IGNORECASE)

_PROTEST = re.compile(
    r"useless|\b(no|any|what) (use|help)\b|not (help|enough|acceptable|good)"
    r"|(?<!please )\b(do|does|did|is|was)(n.t| not)\b(?! reply)"
    r"|\bstop\b|instead of|\bhumans?\b|real person|a person|fed up|sick of|\bagain\b|complain|\bwant\b|\bneed\b"
    r"|only get|keeps? (get|send)|\bwhy\b"
    r"|没用|沒用|没有用|沒有用|无用|不管用|没有帮助|有什么用|有什麼用|什么意思|敷衍|垃圾|别再|別再|不要再|人工|真人|投诉|投訴"
    r"|为什么|為什麼|总是|总收到|一直|怎么|怎麼|没人|沒人|解决不了|拒绝",
    re.IGNORECASE,
)
"""What people say about automatic replies."""
_MATTER = re.compile(
    r"refund|stuck|frozen|locked|withdraw|deposit|my (account|money|funds|order)|2fa|\bkyc\b"
    r"|提现|提現|充值|冻结|凍結|退款|到账|到帳|账户|帳戶|账号|帳號|我的(钱|錢|订单|訂單)|验证码|驗證碼",
    re.IGNORECASE,
)
"""What people write to an exchange about. No vacation note has it in its text; its subject may repeat one."""

_DECLARES = re.compile(
    r"^\W*(this (is|e-?mail is|message is) an? (auto[- ]?(generated|mated|matic|reply|response)"
    r"|automatic(ally)?([- ]generated)?|automated|system[- ]generated|out[- ]of[- ]office)\s*"
    r"(out[- ]of[- ]office )?(e-?mail )?(reply|response|message|e-?mail|mail|answer|notification)\b(?!\s*[?？])"
    r"|(这|這|此|本)(是|为|為|邮件|郵件|信).{0,25}(自动|自動)(回复|回覆|回復|答复|答覆|应答|发送|發送|生成|产生)"
    r"|【?(系统|系統)?(自动|自動)(回复|回覆|回復)】?\s*[:：\n])",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^(((hi|hello|dear|good (morning|day|afternoon))\b[^\n.!]{0,40}|(thanks|thank you)\b[^\n.!]{0,60})[\n,.!]"
    r"|(您好|你好|尊敬的[^\n，,：:]{0,20})|(谢谢|感谢|謝謝|感謝)[^\n。!！，,]{0,20})[\s,，.。!！：:]{0,20}",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"^((i am|i.m|i will be|i.ll be) ((currently|presently|now) )?(out of (the )?(office|country)|away from"
    r"|on (vacation|holiday|((annual|sick|maternity|parental|paternity) )?leave)|travell?ing)"
    r"|(我|本人)(最近|目前|现在|現在|近期|暂时|暫時|今天)?正?(在|处于|處於)?"
    r"(休假|度假|外出|出差|请假|請假|年假|不在办公室|不在辦公室|离开办公室|離開辦公室)"
    r"|(您|你)?的?(来信|來信|邮件|郵件|来函|來函)我?(已|已经|已經)?(收到|收悉)|我?(已|已经|已經)收到(您|你)的(来信|來信|邮件|郵件))",
    re.IGNORECASE,
)
_PROMISE = re.compile(
    r"(will|shall|.ll) (reply|respond|answer|get back|return|be back|read)|back (in the office |at work )?on"
    r"|return(ing)? (on|to)"
    r"|limited access|in urgent cases|if (it is|it's|this is) urgent|urgent matters|please contact|upon my return"
    r"|when i (return|get back|am back)"
    r"|(尽快|盡快|儘快|尽早|及时|及時|稍后|稍後|之后|之後|后会|後會|第一时间|第一時間).{0,12}(回复|回覆|回復|答复|答覆|处理|處理|联系|聯繫)"
    r"|(回来|回來)(后|後)|(日|号|號)(后|後)?(回来|回來|返回|恢复|恢復|上班)|如有(急事|紧急|緊急)"
    r"|(无法|無法|不能)(亲自|親自|及时|及時)(回复|回覆)",
    re.IGNORECASE,
)


def subject_says_so(about: str) -> bool:
    """ "Automatic reply: Re: x" and the like. What follows may be the subject that was answered, or a protest."""
    if _SUBJECT_BEFORE_REPLY.match(about):
        return True
    found = _SUBJECT.match(about)
    if found is None:
        return False
    rest = about[found.end() :]
    return _ANSWERS.match(rest) is not None or _PROTEST.search(rest) is None


def text_says_so(opening: str, about: str, *, answers: bool) -> bool:
    """`answers`: whether a field says that the mail answers another. A note that does not call itself automatic must
    answer one, give an absence or a receipt as its first words, and promise something for later."""
    text = opening.strip()
    if _PROTEST.search(text) or _MATTER.search(text):
        return False
    if _DECLARES.match(text):
        return True
    if len(text) >= MAX_NOTE or not (answers or _ANSWERS.match(about)):
        return False
    for _ in range(GREETINGS):
        text = _GREETING.sub("", text)
    return _AWAY.match(text) is not None and _PROMISE.search(text) is not None
