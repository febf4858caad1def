/** Every word of the widget, in both languages. The keys of the two are the same (a test insists). */

export const STRINGS = {
  en: {
    title: "Support chat",
    notice:
      "An automated assistant answers first. You can ask for a person at any time. " +
      "Never send passwords, verification codes or your recovery phrase: we never ask for them.",
    open: "Open the support chat",
    openUnread: "Open the support chat, {count} new",
    close: "Close the chat",
    log: "Messages",
    input: "Your message",
    placeholder: "Write a message",
    hint: "Enter sends, Shift+Enter starts a new line",
    send: "Send",
    person: "Talk to a person",
    choices: "Suggested answers",
    connecting: "Connecting…",
    offline: "No connection. What you send is kept here and goes out when you are back online.",
    restarted: "Your earlier chat could not be opened again. This is a new one.",
    waiting: "Not sent yet",
    sent: "Received",
    tooLong: "{over} characters too many. Please split the message.",
    you: "You",
    bot: "Automated assistant",
    agent: "Support agent",
    desk: "Complaint desk",
    otherLanguage: "中文",
  },
  zh: {
    title: "在线客服",
    notice:
      "智能助手会先为您解答，您可以随时要求转人工客服。" +
      "请勿发送密码、验证码或助记词，我们绝不会向您索要这些信息。",
    open: "打开在线客服",
    openUnread: "打开在线客服，{count} 条新消息",
    close: "关闭对话",
    log: "消息记录",
    input: "您的消息",
    placeholder: "请输入消息",
    hint: "按 Enter 发送，Shift+Enter 换行",
    send: "发送",
    person: "转人工客服",
    choices: "快捷回复",
    connecting: "正在连接…",
    offline: "网络已断开。您发送的内容会保留在这里，恢复连接后自动发出。",
    restarted: "之前的对话无法继续，已为您开始新的对话。",
    waiting: "尚未发出",
    sent: "已收到",
    tooLong: "超出 {over} 个字符，请分成几条发送。",
    you: "我",
    bot: "智能助手",
    agent: "人工客服",
    desk: "投诉受理中心",
    otherLanguage: "English",
  },
};

/** The sentence `key` in `language`; `{name}` is filled from `values`. */
export function say(language, key, values = {}) {
  return STRINGS[language][key].replace(/{(\w+)}/g, (_, name) => String(values[name]));
}

/** "en" or "zh" for any language tag; null when it is neither. */
export function ourLanguage(tag) {
  const primary = (tag || "").toLowerCase().split("-")[0];
  return primary in STRINGS ? primary : null;
}
