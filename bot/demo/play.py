"""The play: a question and a complaint in each language, on chat and by mail, and a person who takes over."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from contextlib import closing

import httpx
from sqlalchemy import select

from bot.demo.colleague import Colleague, at_work
from bot.demo.correspondent import Correspondent
from bot.demo.picture import screenshot
from bot.demo.stage import DemoFailed, insist
from bot.demo.visitor import visiting
from bot.settings import Settings
from bot.store.store import Store
from bot.store.tables import Case, Conversation
from escalation.console.auth import create_agent, disable_agent

NUMBER = re.compile(r"RD-[0-9A-Z]{5}-[0-9A-Z]{5}")
LINK = re.compile(r"https?://\S+/track/\S+")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
KNOWN_USER = "10001"
"""A user of the demo exchange with a withdrawal in review (docs/backoffice-contract.md)."""


class Play:
    def __init__(self, settings: Settings, show: Callable[[str], None]) -> None:
        self._settings = settings
        self._show = show
        self._url = settings.url
        self._address = ""
        self._store = Store(settings.database)

    async def run(self) -> None:
        """Raises DemoFailed, naming what the desk did not do."""
        with closing(self._store):
            await self._insist_on_ready()
            login, password = f"demo-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
            agent_id = await create_agent(self._store, login, "Mei", "agent", password)
            try:
                async with at_work(self._url, login, "Mei", password, self._say) as colleague:
                    await self._scenes(colleague)
            finally:
                await disable_agent(self._store, agent_id)
        self._show("\nThe demo is complete: everything above went through the real doors of the running desk.")

    async def _scenes(self, colleague: Colleague) -> None:
        await self._question_on_chat()
        await self._known_user_on_chat()
        await self._complaint_on_chat(colleague)
        await self._question_by_mail()
        await self._complaint_by_mail(colleague)

    async def _insist_on_ready(self) -> None:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
                state = (await http.get(f"{self._url}/readyz")).json()
        except (httpx.HTTPError, ValueError) as error:
            raise DemoFailed(f"nothing answers at {self._url}: start the desk with `make run` first") from error
        insist(state["ready"], f"the desk does not accept messages: {state['reason']}")
        self._address = next(door for door in state["doors"].values() if "@" in door)
        insist("rasa" not in state["degraded"], "the assistant is still starting: wait until `make run` says ready")

    async def _question_on_chat(self) -> None:
        self._scene("A simple question on chat, in English: the assistant answers it")
        async with visiting(self._url, "visitor", "en", self._say) as visitor:
            await visitor.write("How do I deposit USDT? Where do I find the address?")
            answer = await visitor.hear_offer()
            insist(not NUMBER.search(answer), "a simple question became a case")
            await visitor.press("yes")
            await visitor.hear()

    async def _known_user_on_chat(self) -> None:
        site = self._settings.backoffice_url or f"http://127.0.0.1:{self._settings.site_port}"
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            answer = await http.get(f"{site}/token", params={"uid": KNOWN_USER})
        if answer.status_code != 200:
            return  # a real exchange is connected; it gives its tokens to its own app only
        self._scene("The exchange's app names its user: the withdrawal is looked up")
        async with visiting(self._url, f"user {KNOWN_USER}", "en", self._say, answer.json()["token"]) as visitor:
            await visitor.write("where is my withdrawal?")
            insist("USDT" in await visitor.hear_offer(), "the withdrawal was not looked up")

    async def _complaint_on_chat(self, colleague: Colleague) -> None:
        self._scene("A complaint on chat, in English: a case, and a person takes over")
        async with visiting(self._url, "victim", "en", self._say) as visitor:
            await visitor.write(
                "Someone hacked my account last night and 2.4 BTC is gone! I did not authorise this withdrawal."
            )
            number, link = self._case_of(await visitor.hear(author="desk"))
            await self._insist_on_tracking(link, number)
            conversation_id = await self._conversation_of(number)
            await colleague.take_over(conversation_id)
            await visitor.hear(author="desk")
            await visitor.write("Please hurry.")
            await colleague.reply(conversation_id, "I am Mei. I have your case and am checking the withdrawal now.")
            await visitor.hear(author="agent")
            await colleague.resolve(conversation_id)
            await visitor.hear(author="desk")

    async def _question_by_mail(self) -> None:
        self._scene("A simple question by e-mail, in Chinese: the assistant answers it")
        writer = self._correspondent("wang")
        sent = await writer.write(self._address, "提币手续费", "你好，请问提币手续费是怎么收的？谢谢")
        answer = await writer.hear(sent)
        body = answer.get_body(("plain",))
        text = "" if body is None else str(body.get_content())
        insist(CHINESE.search(text), "the answer is not in Chinese")
        insist(not NUMBER.search(text), "a simple question became a case")

    async def _complaint_by_mail(self, colleague: Colleague) -> None:
        self._scene("A complaint by e-mail, in Chinese with a screenshot: a case, and a person answers in the thread")
        writer = self._correspondent("li")
        sent = await writer.write(
            self._address,
            "投诉：提现五天未到账",
            "我五天前提现 3200 USDT 到自己的钱包，状态一直是处理中，找过两次客服都没有结果，请尽快处理！\n截图见附件。",
            ("提现截图.png", screenshot()),
        )
        acknowledged = await writer.hear(sent)
        body = acknowledged.get_body(("plain",))
        number, link = self._case_of("" if body is None else str(body.get_content()))
        await self._insist_on_tracking(link, number)
        conversation_id = await self._conversation_of(number)
        await colleague.take_over(conversation_id)
        await colleague.reply(
            conversation_id, "您好，我是客服 Mei。您的提现正在人工核查，有结果我会第一时间在此邮件中回复您。"
        )
        await writer.hear(sent, beyond=1)

    def _correspondent(self, name: str) -> Correspondent:
        return Correspondent(
            self._settings.host,
            self._settings.smtp_port,
            self._settings.data_dir / "maildrop",
            f"{name}.{secrets.token_hex(3)}@mail.example",
            self._say,
        )

    def _case_of(self, text: str) -> tuple[str, str]:
        number, link = NUMBER.search(text), LINK.search(text)
        if number is None or link is None:
            raise DemoFailed("the complaint got no case number and tracking link")
        return number.group(), link.group()

    async def _insist_on_tracking(self, link: str, number: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            page = await http.get(link)
        insist(page.status_code == 200 and number in page.text, f"the tracking link of {number} does not open")

    async def _conversation_of(self, number: str) -> int:
        query = select(Conversation.id).join(Case, Case.id == Conversation.case_id).where(Case.number == number)
        return await self._store.read(lambda connection: int(connection.execute(query).scalar_one()))

    def _scene(self, title: str) -> None:
        self._show(f"\n--- {title} ---")

    def _say(self, who: str, what: str) -> None:
        first, *rest = what.splitlines() or [""]
        self._show(f"{who}: {first}")
        for line in rest:
            self._show(f"    {line}")


async def play(settings: Settings, show: Callable[[str], None]) -> None:
    """Plays it on the desk that `settings` describe. Raises DemoFailed."""
    await Play(settings, show).run()
