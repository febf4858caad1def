"""Whether a mail says that another could not be delivered, when it has no report part (RFC 3464) that says so.

The free texts are those of qmail, Exim, Exchange, Gmail, Postfix, QQ and 163. What a bounce says: `bounced.py`.
"""

from __future__ import annotations

import re

from channels.mail.headers import Fields, decoded, subject, values
from channels.mail.robots import local_parts

_SUBJECT = re.compile(
    r"undeliver|non-?deliver|returned (mail|e-?mail|to sender)|failure notice"
    r"|mail (delivery|system) (fail|error|delay|notif)"
    r"|delivery (status|fail|error|notification|delayed|incomplete|problem)"
    r"|(could|can) ?not be delivered|not delivered|warning: (message|could not send)|message delay|address not found"
    r"|退信|退回|无法投递|無法投遞|投递失败|投遞失敗|投递延迟|未送达|未送達|无法送达|無法送達|无法传递|無法傳遞|傳遞失敗|发送失败|發送失敗|传送失败|傳送失敗",
    re.IGNORECASE,
)
_TEXT = re.compile(
    r"^\W*(hi\. this is the (qmail-send|deliver)\w*\b|this is the (mail system at|qmail-send|mail delivery)"
    r"|this message was created automatically by (the )?mail (delivery|system)"
    r"|this is an automatically generated delivery"
    r"|(your|a|the) (message|e-?mail|mail)\b.{0,200}?"
    r"(was ?n.t|could ?n.t|could not|can ?not|was not|has not been|not) (be )?delivered"
    r"|delivery (has failed|to the following|has been delayed)|message not delivered"
    r"|sorry, we were unable to deliver"
    r"|(很)?(抱歉|遗憾|遺憾).{0,20}(邮件|郵件|信件).{0,30}(退回|退信|投递|投遞|送达|送達)"
    r"|(您|你)(发送|發送|寄)?(给|給)?.{0,60}的?(邮件|郵件|信件).{0,60}(被退回|未能|无法|無法|没有成功|未成功).{0,12})",
    re.IGNORECASE,
)
_DAEMON = re.compile(
    r"^(mailer[-_.]?daemon|mail[-_.]?daemon|postmaster|mdaemon|microsoftexchange[0-9a-f]+|mail-?delivery\b.*)$",
    re.IGNORECASE,
)
_DAEMON_NAME = re.compile(
    r"mail delivery (sub)?system|mailer-daemon|mail system|系统退信|系統退信|邮件(投递|系统)|郵件(投遞|系統)|退信",
    re.IGNORECASE,
)


def is_bounce(fields: Fields, opening: str, sender: str) -> bool:
    """Of a mail without a report part. A person may quote a bounce or write "undeliverable" in a subject, so its words
    count only from a mail system, or when both subject and text have them."""
    if values(fields, "x-failed-recipients"):
        return True
    titled = _SUBJECT.search(subject(fields)) is not None
    told = _TEXT.match(opening.strip()) is not None
    return (titled or told) and _from_mail_system(fields, sender)


def _from_mail_system(fields: Fields, sender: str) -> bool:
    return (
        not sender
        or any(_DAEMON.match(local) for local in local_parts(fields, sender))
        or any(_DAEMON_NAME.search(decoded(value)) for value in values(fields, "from"))
    )
