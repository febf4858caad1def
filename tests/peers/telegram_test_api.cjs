// Telegram as others have built it (npm telegram-test-api), behind a thin front that mends what keeps a Bot API
// library from talking to it: getMe without is_bot, null instead of true, times in milliseconds, no long polling, no
// setMyCommands. Besides, the front is the user: POST /user/say {"text"}, GET /user/heard.
//
// Prints its port when it listens.
const http = require("node:http");
const TelegramServer = require("telegram-test-api");

const [token, innerPort] = process.argv.slice(2);
const POLL_MS = 50;
const inner = new TelegramServer({ port: Number(innerPort), host: "127.0.0.1" });
const user = inner.getClient(token, { chatId: 77, userId: 77, firstName: "Li" });

function body(request) {
  return new Promise((resolve) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => resolve(Buffer.concat(parts)));
  });
}

async function forward(path, method, type, content) {
  const answer = await fetch(`http://127.0.0.1:${innerPort}${path}`, {
    method,
    headers: type ? { "content-type": type } : {},
    body: method === "GET" ? undefined : content,
  });
  return { status: answer.status, said: await answer.json() };
}

function inSeconds(value) {
  if (Array.isArray(value)) return value.map(inSeconds);
  if (value === null || typeof value !== "object") return value;
  const mended = Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, inSeconds(inside)]));
  if (mended.date > 1e11) mended.date = Math.floor(mended.date / 1000);
  return mended;
}

async function patient(ask, seconds) {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer.said.result?.length || Date.now() > until) return answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function ofBot(request, content) {
  const method = request.url.split("/").pop().split("?")[0].toLowerCase();
  if (method === "setmycommands") return { status: 200, said: { ok: true, result: true } };
  const ask = () => forward(request.url, request.method, request.headers["content-type"], content);
  const wait = Number(new URLSearchParams(content.toString()).get("timeout") || 0);
  const answer = await (method === "getupdates" ? patient(ask, wait) : ask());
  if (method === "getme") Object.assign(answer.said.result, { is_bot: true, id: Number(token.split(":")[0]) });
  if (method.endsWith("webhook")) answer.said.result = true;
  return { status: answer.status, said: inSeconds(answer.said) };
}

async function ofUser(request, content) {
  if (request.url === "/user/heard") {
    return { status: 200, said: inner.storage.botMessages.map((each) => each.message.text) };
  }
  await user.sendMessage(user.makeMessage(JSON.parse(content).text));
  return { status: 200, said: true };
}

async function serve(request, response) {
  const content = await body(request);
  const { status, said } = await (request.url.startsWith("/user/") ? ofUser : ofBot)(request, content);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(said));
}

inner.start().then(() => {
  const front = http.createServer((request, response) => {
    serve(request, response).catch(() => response.writeHead(500).end("{}"));
  });
  front.listen(0, "127.0.0.1", () => console.log(front.address().port));
});
