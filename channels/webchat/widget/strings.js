/** Every word of the widget, in both languages. The keys of the two are the same (a test insists). */

import zh from "./strings.zh.js";
import zhHant from "./strings.zh-hant.js";

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
    news: "Notices ({count})",
    subscribe: "Get notices",
    unsubscribe: "Stop notices",
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
    fileUnreadable: "This file can no longer be read: it may have been changed, moved or deleted. Please remove it and attach it again.",
    fileNoRoom: "We cannot take files at the moment. This one is tried again by itself; a message without files can be sent now.",
    fileQueueFull: "Too many files are waiting in this chat. Please remove this one, and attach it again after sending your message.",
    fileTooMuch: "This chat has sent as many files as it may within 24 hours. Please remove this one and send it later.",
    fileWaits: "Your message leaves as soon as its files are there.",
    fileWaitsNoMore: "You changed something, so your message has not been sent. Press Send again when it is complete.",
    fileNotThere: "{name} could not be fetched. Please try again later.",
    joinYes: "Yes, it is mine",
    joinNo: "No",
    joinFailed: "The link could not be followed just now. Please open it again in a moment.",
  },
  zh,
  "zh-Hant": zhHant,
};

/** The sentence `key` in `language`; `{name}` is filled from `values`. */
export function say(language, key, values = {}) {
  return STRINGS[language][key].replace(/{(\w+)}/g, (_, name) => String(values[name]));
}

/** "en", "zh" or "zh-Hant" (繁體, as in Taiwan, Hong Kong and Macao) for any language tag; null when it is none of them. */
export function ourLanguage(tag) {
  const [primary, ...more] = (tag || "").toLowerCase().split("-");
  if (primary !== "zh") return primary === "en" ? "en" : null;
  const region = more.some((part) => ["tw", "hk", "mo"].includes(part));
  return more.includes("hant") || (region && !more.includes("hans")) ? "zh-Hant" : "zh";
}
