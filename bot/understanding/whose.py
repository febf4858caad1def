"""Whose matter is it? What is advertised, happened elsewhere, was settled or did no harm is no case of the sender's."""

from __future__ import annotations

import re
from typing import Final

GRAVE: Final = frozenset({"theft", "scam", "data_leak", "legal", "regulator", "frozen"})
"""Features that must be a matter of the sender with us. Distress is none: whoever says it is heard."""

LAW: Final = frozenset({"legal", "regulator"})

_INVITED: Final = re.compile(
    r"\b(?:contact|reach out to|write(?: to)?|text|message|consult|ask|hire|dm|whatsapp|e-?mail) (?:him|her|them|me"
    r"|us|an? hacker"
    r"|a certified|@|agent|mrs|mr|our)\b|\breach out:|\b(?:mail|telegram|whatsapp|instagram|signal): ?\w"
    r"|\bcontact \w+ recovery\b"
    r"|\bwhats ?app \+?[0-9]|\b(?:dm|for hire)$|\b(?:no|without) (?:upfront|win)\b|\bpay after success\b|\bin (?:my"
    r"|his|her) (?:profile|bio"
    r"|contacts)\b|\b(?:form|mail|link) in (?:the|my) profile\b|\bour (?:lawyers?|legal team|bureau|team of)\b"
    r"|\bhackers? for hire\b"
    r"|\b(?:you want your|to all|if you'?re a|if you have been a) (?:stolen|victims?)\b|\bread this if\b"
    r"|\bour secure page\b"
    r"|\bconfirm your (?:seed|wallet)|\bseller trusted\b|\bjoin(?:,| the class)|\b(?:instagram|facebook"
    r"|insta)\b.{0,30}\b(?:under|with the|fix)"
    r"|加(?:他|她|我|飞机|微|v|q|赖|群|telegram|电报)|联系(?:他|她|他们|我(?!们)|方式)|加?飞机|主页|不成功不收费"
    r"|后(?:付款|收费|抽)|先办事"
    r"|再付尾款|私讯|私信|(?:加|免费|点).{0,6}(?:咨询|询问|登记)|[入进]群|(?:律师|公益|技术|我们|我哋)团队|接单"
    r"|日结|点链接|链接见|v信|需要的"
    r"|想(?:联系|知道)的|想改变命运|有缘人|回信即可|非诚勿扰|出码|专业追回"
)
_PRAISED: Final = re.compile(
    r"\b(?:until|then) (?:i (?:met|saw|came across)|a friend|an ethical|somebody|a guy|a lady)\b"
    r"|\bthanks to (?:this|a) hacker\b"
    r"|\b(?:ethical|genuine|certified) hackers?\b|\bonly (?:one|firm|[\w ]{3,20} on (?:instagram|facebook))\b"
    r"|\bbut a certain\b"
    r"|\bhacker \w+ saved\b|多亏|贵人|大神|介绍.{0,12}(?:团队|老师|律师|工程师|黑客)|遇到一(?:位|家)|看到一位|找了黑客"
)
_RECOVERY: Final = re.compile(
    r"\b(?:recover\w*|retriev\w+|restor\w+|trac(?:ed|es?|ing)|unfreez\w+|unlock\w*|claim|back|returned|reimburse"
    r"|delivered|saved"
    r"|opens? any|opened|could|helped me|got my|for hire|certified|in (?:two|three) days|pushed)\b"
    r"|[追找要拿讨]回|挽回|追[款损踪]|维权|解[封冻]|恢复|破解|返还|赔付|补偿|解开|攞返|投诉信|一分不少"
)
_SCHEME: Final = re.compile(r"(?:刷单|资金盘).{0,12}(?:日结|一结|私信|内测|已出金|翻倍|就能做)")
_PLEADED: Final = re.compile(
    r"\b(?:can|could|would|will) (?:you|u|someone)\b|\b(?:please|pls|plz) (?:help|return|recover|freeze|block|stop"
    r"|look|check|give)\b|\bhelp me\b"
    r"|\b(?:told|asked|made|instructed|convinced|scammed|tricked|wanted) (?:me|us) (?:to|into|for|via|on|again)\b"
    r"|\b(?:but|then|now|and) (?:he|she|they|it|the \w+)\b.{0,40}\b(?:vanished|disappeared|blocked me|took"
    r"|demand\w*|stole|gone)\b"
    r"|\b(?:second|twice) (?:time )?(?:scam\w*|cheated)|\bscammed (?:me )?(?:again|twice)"
    r"|帮我(?:追回|找回|要回|冻结)(?!了)|能不能|能(?:帮|追|找).{0,6}吗|请(?:帮|协助|你们)|求助|怎么办"
    r"|[让叫要]我(?:加|交|先|再|转|付)"
    r"|\b(?:give|return|send|pay|want|get)\b.{0,15}\bmy (?:\w+ )?(?:money|funds|coins|crypto|account)\b"
    r"|\b(?:he|she|they|someone|somebody|who) (?:contact|messag|text|call|add|want|told|said|promis|claim)\w*"
    r"|请.{0,4}(?:联系|处理|冻结|返还|尽快)|尽快处理|赶紧|要求|还我|(?:骗子|对方|他|她|有人|客服)(?:就|先|主动"
    r"|又)?(?:加|拉|让|叫|说|要)|加了我|拉我"
    r"|结果(?:又|还|也)|又(?:被|骗)|二次|拉黑|失联|不见人"
)
"""An advert offers to recover what was lost; its victim was robbed by it, or asks us for help."""

_ELSEWHERE: Final = (
    r"(?:steam|facebook|fb|insta(?:gram)?|whatsapp|roblox|paypal|revolut|robinhood|webull|ebay|meta ?mask|venmo"
    r"|netflix|gmail|tiktok"
    r"|cash ?app|snapchat|discord|twitter|amazon|spotify)"
)
_ANOTHER: Final = re.compile(
    rf"\b(?:my|daughter's|son's|friend's) {_ELSEWHERE}\b.{{0,20}}\b(?:hacked|stolen|froze\w*|locked|blocked|banned)\b"
    rf"|\b{_ELSEWHERE}(?: (?:account|wallet))? ?(?:has |have |was |is |got |just |been )*"
    r"(?:hacked(?! (?:my|me|into))|stolen|drained|froze\w*|locked|blocked|banned|limited|halted)\b"
    r"|(?:steam|(?<![a-z])(?:qq|line|tp)|微信|支付宝|抖音|淘宝|闲鱼|王者荣耀|游戏|小狐狸|metamask|信用卡|原神)(?:的"
    r"|里面|上)?"
    r" ?(?:账号|帐号|账户|钱包|号)?.{0,16}(?:被盗|盗刷|被? ?hacked|被封|被冻|不见了|没了|转走)"
)
_PRIVATE: Final = re.compile(
    r"\b(?:my (?:boss|landlord|tenant|neighbou?r)|the boss|salary|parcel|classified ad|marketplace|building society"
    r"|xrp lawsuit"
    r"|dear (?:hotel|airline)|a poem|poem bout)\b"
    r"|老板|房东|工资(?!单|流水)|押金|闲鱼|虾皮|淘宝|网贷|健身房|拆迁|二手车|信用卡|[银储]行卡|储蓄卡|邮局|转错人"
    r"|租房|外卖|洗钱团伙"
)
_OURS: Final = re.compile(
    r"\b(?:you|your|u|ur|exchange|withdr\w+|usdt|btc|binance|kraken|coinbase|kucoin|okx|bybit|p2p|c2c|deposit\w*)\b"
    r"|你们(?!认识|怎么看)|贵司|贵平台|(?<!租房)(?<!二手车)(?<!外卖)(?<!，)平台|币安|提现|提币|充值|商家|买家"
    r"|卖家(?!不)|交易所|放币|出金"
    r"|(?<![a-z])(?:usdt|c2c|p2p|u)(?![a-z])|(?<!不是)(?<!代)币"
)
_NOT_OURS: Final = re.compile(
    r"\bnot (?:yours|the right address)\b|\bnever had an account with any|\bcan you people\b|\bdear (?:hotel"
    r"|airline)\b|\bdo you know any\b"
    r"|没用过任何交易所|不是你们(?:的|平台)|加密货币的投诉台|(?:租房|二手车|外卖|理财网站)平?台?"
)
"""Another company, a boss, a landlord: it is our matter only where we or a coin here are named as well."""

_SETTLED: Final = re.compile(
    r"\ball good now\b|\b(?:been|was|is) (?:closed|solved|resolved|settled) to my\b|\bfalse alarm\b"
    r"|\bnothing is missing\b"
    r"|\bbalance is (?:the same|all right)\b|\bpaid me on time\b|\bnever needed\b|\bnot on this platform\b"
    r"|\b(?:stole|froze) nothing\b"
    r"|系误会|一场误会|误会一场|虚惊|撤销(?:该)?(?:工单|投诉)|来道歉|用着好得很|分文未损|钱没少|一分没少"
)
"""What was feared has not come to pass, or has been put right: told in thanks, not in complaint."""

_LEAVING: Final = re.compile(r"注销|关户|退圈|换平台|戒了|怎么关")
_TAKEN: Final = re.compile("被|盗|黑客|骗|不是我|别人|有人")
"""Who closes the account has taken the coins out himself, unless somebody else is named."""

_HARM: Final = re.compile(
    r"\b(?:lost|lose|sent|send|paid|pays?|paying|gave|give|given|gone|took|taken|transferr\w+|clicked|entered|typed"
    r"|installed|seed"
    r"|stole\w*|scammed|drained|emptied|victim|money|tax|invest\w*|deposit\w*|fell|moved|withdr\w+|empty|cleaned"
    r"|missing|let|told|leak"
    r"|bought|balance|savings|thousand|[0-9]+k|shared|usdt|btc|eth|dollars|euros?|pounds|made me|got me|conned"
    r"|tricked|refund\w*|defrauded|scammers?|did it|details|name|asked for my)\b"
    r"|[0-9]{3}|[$€£]|骗|转[了给过]|[没全]了|全没|不见|充了|充值|付了|交[了税]|才能|损失|[万千百]|给了|输[了入]"
    r"|点了|装了|下载|上当|提不|清[零空]"
    r"|钱|盗|投[了资]|转走|币|保证金|解冻|冻结|税|(?<![a-z])u(?![a-z])|入金|掏空|泄露|身份证"
)
_UNHARMED: Final = re.compile(
    r"\b(?:didn'?t|did not) (?:call|click|send|pay|answer)\b|\bnothing (?:is |has )?(?:gone|lost|missing"
    r"|happened)\b|\bgenuine or phishing\b"
    r"|一分(?:钱)?没(?:动|少)|未受损|没(?:有)?(?:点(?![开进])|理他|付钱|输密码|上当)|差点(?:就|上当)|还没理|币还在"
    r"|(?:明显|应该)是骗子吧"
)
"""A scam that was tried or seen is a report; it is a case when it took something."""


def of_others(text: str) -> frozenset[str]:
    """The grave features that are no matter of the sender with us, whatever sentence they stand in."""
    if _advertised(text):
        return GRAVE
    if _SETTLED.search(text):
        return GRAVE - {"frozen"}
    elsewhere = _NOT_OURS.search(text) or not _OURS.search(text)
    if elsewhere and _ANOTHER.search(text):
        return GRAVE
    silent = LAW if elsewhere and _PRIVATE.search(text) else frozenset()
    if _LEAVING.search(text) and not _TAKEN.search(text):
        silent |= {"theft"}
    if _UNHARMED.search(text) or not _HARM.search(text):
        silent |= {"scam"}
    return silent


def _advertised(text: str) -> bool:
    """Is the recovery of lost money offered here, rather than asked for?"""
    if _SCHEME.search(text):
        return True
    offered = _INVITED.search(text) or _PRAISED.search(text)
    return bool(offered and _RECOVERY.search(text) and not _PLEADED.search(text))
