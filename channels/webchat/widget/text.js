/** Text of others shown safely, and times as people of the language write them. */

const ADDRESS = /https?:\/\/[^\s<>"'`，。；：！？、（）【】《》「」]+/g;
const TRAILING = /[.,;:!?)\]}]+$/;
const LOCALES = { en: "en-GB", zh: "zh-CN", "zh-Hant": "zh-TW" };

/** Nodes for `text`: addresses on `origins` become links, everything else stays plain text. */
export function linked(text, origins) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(TRAILING, "");
    if (!allowed(address, origins)) continue;
    nodes.push(text.slice(end, match.index), link(address));
    end = match.index + address.length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

function allowed(address, origins) {
  try {
    return origins.includes(new URL(address).origin);
  } catch {
    return false;
  }
}

function link(address) {
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  anchor.textContent = address;
  return anchor;
}

/** "3 bytes", "47 KB", "1.2 MB" */
export function sizeOf(bytes, language) {
  const [unit, length] = bytes < 1024 ? ["byte", 1] : bytes < 2 ** 20 ? ["kilobyte", 1024] : ["megabyte", 2 ** 20];
  const unitDisplay = unit === "byte" ? "long" : "short"; // English has "3 byte" for short
  const options = { style: "unit", unit, unitDisplay, maximumFractionDigits: unit === "megabyte" ? 1 : 0 };
  return new Intl.NumberFormat(LOCALES[language], options).format(bytes / length);
}

export function clockTime(moment, language) {
  return moment.toLocaleTimeString(LOCALES[language], { hour: "2-digit", minute: "2-digit" });
}

/** "22 Nov 2026, 09:00" */
export function dayAndTime(moment, language) {
  return moment.toLocaleString(LOCALES[language], { dateStyle: "medium", timeStyle: "short" });
}

export function day(moment, language) {
  return moment.toLocaleDateString(LOCALES[language], { weekday: "long", year: "numeric", month: "long", day: "numeric" });
}
