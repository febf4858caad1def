"""Every word of the demo exchange's site, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

Language = Literal["en", "zh"]

TEXTS: Mapping[str, tuple[str, str]] = {
    "exchange": ("Demo Exchange", "演示交易所"),
    "skip": ("Skip to the content", "跳到正文"),
    "wallet": ("Wallet", "钱包"),
    "languages": ("Language", "语言"),
    "tagline": (
        "An invented exchange for trying out the complaint desk. No account, coin or person here is real.",
        "为体验投诉服务台而虚构的交易所。这里的账户、资产和人物都不是真实的。",
    ),
    "visit_as": ("Visit as", "访问身份"),
    "guest": ("Guest (not signed in)", "访客（未登录）"),
    "switch": ("Switch", "切换"),
    "signed_in": ("Signed in", "已登录"),
    "guest_title": ("Welcome", "欢迎"),
    "guest_text": (
        "You are looking at the site without signing in. Choose a user above to see a wallet, "
        "or open the chat as a guest.",
        "您尚未登录。请在上方选择一位用户查看其钱包，或以访客身份打开在线客服。",
    ),
    "uid": ("UID", "UID"),
    "email": ("E-mail", "邮箱"),
    "kyc": ("Identity check", "身份认证"),
    "level": ("level", "等级"),
    "status": ("Status", "状态"),
    "withdrawals": ("Withdrawals", "提现记录"),
    "deposits": ("Deposits", "充值记录"),
    "orders": ("Orders", "委托记录"),
    "number": ("Number", "编号"),
    "amount": ("Amount", "数量"),
    "network": ("Network", "网络"),
    "confirmations": ("Confirmations", "确认数"),
    "tx_hash": ("Transaction hash", "交易哈希"),
    "requested": ("Requested", "申请时间"),
    "seen": ("First seen", "到链时间"),
    "placed": ("Placed", "下单时间"),
    "market": ("Market", "交易对"),
    "side": ("Side", "方向"),
    "kind": ("Type", "类型"),
    "price": ("Price", "价格"),
    "filled": ("Filled", "已成交"),
    "none_yet": ("Nothing here yet.", "暂无记录。"),
    "notices": ("Notices", "公告"),
    "restricted": ("Your account is limited", "您的账户功能受限"),
    "until": ("until", "截止"),
    "since": ("since", "开始于"),
    "review_link": ("Open the security review", "前往安全核验"),
    "review": ("Security review", "安全核验"),
    "review_text": (
        "On a real exchange you would confirm here that a change to your account was yours. "
        "This demo has nothing to confirm.",
        "在真实的交易所，您会在此确认账户变更是否由本人操作。本演示站没有需要确认的内容。",
    ),
    "back": ("Back to the wallet", "返回钱包"),
    "user.active": ("Active", "正常"),
    "user.restricted": ("Limited", "受限"),
    "user.frozen": ("Frozen for protection", "已保护性冻结"),
    "user.closed": ("Closed", "已注销"),
    "kyc.none": ("Not started", "未开始"),
    "kyc.pending": ("In progress", "审核中"),
    "kyc.approved": ("Approved", "已通过"),
    "kyc.rejected": ("Rejected", "未通过"),
    "withdrawal.in_review": ("In review", "审核中"),
    "withdrawal.processing": ("Processing", "处理中"),
    "withdrawal.broadcast": ("Sent, waiting for the network", "已发出，等待链上确认"),
    "withdrawal.completed": ("Completed", "已完成"),
    "withdrawal.failed": ("Failed", "失败"),
    "withdrawal.returned": ("Failed, returned to balance", "失败，已退回余额"),
    "withdrawal.cancelled": ("Cancelled", "已取消"),
    "deposit.confirming": ("Confirming", "确认中"),
    "deposit.credited": ("Credited", "已到账"),
    "deposit.not_credited": ("Not credited", "未入账"),
    "deposit.returned": ("Returned", "已退回"),
    "order.open": ("Open", "未成交"),
    "order.partially_filled": ("Partially filled", "部分成交"),
    "order.filled": ("Filled", "完全成交"),
    "order.cancelled": ("Cancelled", "已撤销"),
    "order.rejected": ("Rejected", "已拒绝"),
    "order_kind.limit": ("Limit", "限价"),
    "order_kind.market": ("Market", "市价"),
    "order_kind.stop": ("Stop", "止损"),
    "order_kind.liquidation": ("Liquidation", "强制平仓"),
    "side.buy": ("Buy", "买入"),
    "side.sell": ("Sell", "卖出"),
    "restriction.withdrawals_paused": ("Withdrawals are paused", "提现已暂停"),
    "restriction.trading_paused": ("Trading is paused", "交易已暂停"),
    "restriction.login_locked": ("Sign-in is locked", "登录已锁定"),
    "restriction.account_frozen": ("The account is frozen", "账户已冻结"),
    "reason.large_amount_review": ("large amount", "大额提现"),
    "reason.new_address_review": ("new address", "新地址"),
    "reason.address_not_supported": ("the address cannot receive this asset", "该地址无法接收此资产"),
    "reason.memo_missing": ("memo missing", "缺少备注（memo）"),
    "reason.network_maintenance": ("network maintenance", "网络维护"),
    "reason.security_change": ("security settings were changed", "安全设置有变更"),
    "reason.protective_freeze": ("protective freeze", "保护性冻结"),
    "reason.document_unreadable": ("the document cannot be read", "证件照片无法辨认"),
    "reason.name_mismatch": ("the name does not match the document", "姓名与证件不符"),
}


def translator(language: Language) -> Callable[[str], str]:
    """What turns a key into a word of that language. A state without a word of its own shows as its code."""
    column = ("en", "zh").index(language)

    def translate(key: str) -> str:
        return TEXTS[key][column] if key in TEXTS else key.rpartition(".")[2]

    return translate
