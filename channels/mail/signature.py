"""Which lines at the end of a mail are a signature: of the person after "-- ", or of the mail program.

On an exchange people also write "Sent from my wallet to yours": what names money is never taken for a signature.
"""

from __future__ import annotations

import re

MAX_LINES = 15

_THING = (
    r"(i?phone|ipad|ipod|android|mobile|handy|cell|smartphone|tablet|device|galaxy|samsung|huawei|honor|xiaomi|redmi|oppo"
    r"|vivo|oneplus|pixel|nokia|blackberry|windows|mac\b|pc\b|outlook|gmail|hotmail|foxmail|thunderbird|spark|mail\w*"
    r"|\w*mail\b|proton|yahoo|手机|手機|平板|电脑|電腦|邮箱|郵箱|信箱|客户端|用戶端)"
)
_DEVICE = re.compile(
    rf"^\W{{0,3}}((sent|send) (from|via|with|by)\b.{{0,60}}{_THING}.{{0,60}}"
    r"|(sent|send) from my \S{1,20}( \S{1,20})?"
    r"|verzonden met .{0,40}|get \W?outlook for .{0,80}|from my .{0,40}|\w{1,20} from (my )?mobile"
    r"|(发自|發自|来自|來自)我的.{0,40}|(从|從)我的.{0,30}(发送|發送|傳送|寄出).{0,5}"
    r"|(发自|發自).{0,30}(邮箱|郵箱|客户端|手机|手機)\w{0,10}|(获取|取得|下載|下载).{0,4}(outlook|foxmail|qq邮箱).{0,60}"
    r"|envoyé de(puis)? mon .{0,40}|von mein.{0,60} gesendet|diese nachricht wurde von .{0,80} gesendet)\W*$",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"wallet|account|address|exchange|binance|coinbase|metamask|ledger|okx|bybit|bank|card|trc|erc|bep|txid|hash|0x"
    r"|usdt|usdc|btc|eth\b|coin|token|fund|money"
    r"|钱包|錢包|账户|帳戶|账号|帳號|地址|交易所|币|幣|银行|銀行|转账|轉帳|哈希|资金|資金|钱|錢",
    re.IGNORECASE,
)


def without_signature(lines: list[str]) -> list[str]:
    """Cuts at "-- " (RFC 3676 section 4.3), and lines such as "Sent from my phone" at the end."""
    for n in range(max(0, len(lines) - MAX_LINES), len(lines)):
        if lines[n].strip() in ("--", "—") and any(line.strip() for line in lines[:n]):
            lines = lines[:n]
            break
    while lines and (not lines[-1].strip() or _is_device(lines[-1].strip())):
        lines = lines[:-1]
    return lines


def _is_device(line: str) -> bool:
    return _DEVICE.match(line) is not None and _MONEY.search(line) is None
