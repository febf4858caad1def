/** Every word of the widget, in both languages. The keys of the two are the same (a test insists). */

export const STRINGS = {
  en: {
    title: "Support chat",
    notice:
      "An automated assistant answers first. You can ask for a person at any time. " +
      "Never send passwords or your recovery phrase: we never ask for them. The only code to type here is one you requested yourself in this very conversation.",
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
    seen: "Seen by a person",
    personAwaited: "A person has been asked for; nobody has joined yet. Everything is kept, you do not need to stay.",
    personHere: "{name} is here.",
    personAway: "{name} has your conversation and is away at the moment. Everything is kept, you do not need to stay.",
    typing: "{name} is typing…",
    thinking: "The assistant is working on an answer…",
    attach: "Attach files",
    files: "Files for the next message",
    fileProgress: "Sending {name}",
    fileRemove: "Remove {name}",
    fileSave: "Save {name} to this device",
    fileReady: "{size}, ready to send",
    fileEmpty: "This file is empty.",
    fileTooLarge: "Larger than {megabytes} MB. Please send a smaller file, or parts of it.",
    fileTooMany: "One message can carry {files} files.",
    fileFailed: "This file could not be sent. Please remove it and attach it again.",
    fileInTheWay: "Please remove the files that could not be sent, then send your message.",
    fileWaits: "Your message leaves as soon as its files are there.",
    fileNotThere: "{name} could not be fetched. Please try again later.",
  },
  zh: {
    title: "在线客服",
    notice:
      "智能助手会先为您解答，您可以随时要求转人工客服。" +
      "请勿发送密码或助记词，我们绝不会向您索要。验证码只有一种可以发到这里：您自己在本对话中申请的验证码。",
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
    seen: "已由客服查看",
    personAwaited: "已请求人工客服，目前还没有人接入。所有内容都会保留，您不必一直等候。",
    personHere: "客服 {name} 正在为您服务。",
    personAway: "您的对话由客服 {name} 负责，TA 暂时离开。所有内容都会保留，您不必一直等候。",
    typing: "{name} 正在输入…",
    thinking: "智能助手正在准备答复…",
    attach: "添加文件",
    files: "随下一条消息发送的文件",
    fileProgress: "正在上传 {name}",
    fileRemove: "移除 {name}",
    fileSave: "将 {name} 保存到本机",
    fileReady: "{size}，可以发送",
    fileEmpty: "这个文件是空的。",
    fileTooLarge: "超过 {megabytes} MB，请换一个较小的文件，或分成几部分发送。",
    fileTooMany: "一条消息最多可以带 {files} 个文件。",
    fileFailed: "这个文件没有上传成功，请移除后重新添加。",
    fileInTheWay: "请先移除没有上传成功的文件，再发送消息。",
    fileWaits: "文件传完后，消息会自动发出。",
    fileNotThere: "暂时无法获取 {name}，请稍后再试。",
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
