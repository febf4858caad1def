"""How the demo exchange starts, restarts and refuses to start; and what is in its books."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actions.backoffice.contract import (
    Deposit,
    DepositStatus,
    Incident,
    KycStatus,
    Order,
    OrderStatus,
    Restriction,
    Trade,
    User,
    Withdrawal,
    WithdrawalStatus,
)
from actions.backoffice.demo.__main__ import main
from actions.backoffice.demo.api import PAGE_SIZE, _page
from actions.backoffice.demo.seed import seed
from actions.backoffice.demo.store import Store

COMMAND = (sys.executable, "-m", "actions.backoffice.demo")


def test_port_in_use_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        options = ("--port", port, "--data", str(tmp_path))
        done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=60, check=False)
    said = f"Port {port} on 127.0.0.1 is in use; stop what uses it or choose another with --port."
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"demo exchange: {said}\n")


def short_secret(folder: Path) -> list[str]:
    (folder / "secret").write_text("short")
    return ["--app-token-secret-file", str(folder / "secret")]


def file_for_a_folder(folder: Path) -> list[str]:
    (folder / "taken").touch()
    return ["--data", str(folder / "taken")]


def broken_books(folder: Path) -> list[str]:
    (folder / "exchange.sqlite3").write_text("not a database, but long enough to be taken for one" * 20)
    return []


@pytest.mark.parametrize(
    ("trap", "sentence"),
    [
        (file_for_a_folder, "name another with --data"),
        (broken_books, "cannot hold its books"),
        (short_secret, "shorter than 32 characters"),
        (lambda folder: ["--api-token-file", str(folder / "missing")], "cannot be read"),
    ],
)
def test_what_stops_the_start_is_said_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], trap: Callable[[Path], list[str]], sentence: str
) -> None:
    assert main(["--port", "0", "--data", str(tmp_path), *trap(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("demo exchange: ")
    assert said.err.count("\n") == 1
    assert sentence in said.err


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--port", "70000", "'70000' is no port: 0 to 65535"),
        ("--port", "-1", "'-1' is no port"),
        ("--widget-url", "desk.example", "is not an address like https://desk.example"),
        ("--widget-url", "ftp://desk.example", "is not an address like"),
        ("--public-url", "https://desk.example/path", "is not an address like"),
    ],
)
def test_impossible_option_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, sentence: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--data", str(tmp_path), f"{option}={value}"])
    assert sentence in capsys.readouterr().err


def test_restart_keeps_books_and_secrets_and_an_interrupt_ends_it_cleanly(tmp_path: Path) -> None:
    kept = []
    for _ in range(2):
        options = ("--port", "0", "--data", str(tmp_path / "new"))
        with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["listening"].startswith("http://127.0.0.1:")
            users = Store(tmp_path / "new" / "exchange.sqlite3").users()
            secrets = [(tmp_path / "new" / name).read_text() for name in ("api-token", "app-token-secret")]
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        assert (process.returncode, said) == (0, b"")
        kept.append((users, secrets))
    assert kept[0] == kept[1]
    assert (tmp_path / "new" / "api-token").stat().st_mode & 0o077 == 0


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOOKS = [record.content for record in seed(NOW)]


def of[T](kind: type[T]) -> list[T]:
    return [content for content in BOOKS if isinstance(content, kind)]


def test_seed_is_the_same_but_for_the_times() -> None:
    assert list(seed(NOW)) == list(seed(NOW))
    later = [record.content for record in seed(NOW + timedelta(days=1))]
    assert [getattr(content, "id", None) for content in later] == [getattr(c, "id", None) for c in BOOKS]
    assert later[0].since == BOOKS[0].since + timedelta(days=1)


def test_seed_gives_both_languages_the_same_number_of_people() -> None:
    users = of(User)
    assert len(users) >= 8
    assert set(Counter(user.language for user in users).values()) == {len(users) // 2}
    assert len({user.email for user in users}) == len(users)
    assert all(user.email.endswith("@example.com") for user in users)


def test_seed_holds_the_situations_that_matter() -> None:
    withdrawals, deposits = of(Withdrawal), of(Deposit)
    wanted = {WithdrawalStatus.IN_REVIEW, WithdrawalStatus.COMPLETED, WithdrawalStatus.RETURNED}
    assert wanted <= {withdrawal.status for withdrawal in withdrawals}
    assert {DepositStatus.CONFIRMING, DepositStatus.CREDITED} <= {deposit.status for deposit in deposits}
    missing = [deposit for deposit in deposits if deposit.reason_code == "memo_missing"]
    assert [(deposit.status, deposit.memo) for deposit in missing] == [(DepositStatus.NOT_CREDITED, None)]
    assert {"security_change"} <= {restriction.reason_code for restriction in of(Restriction)}
    assert KycStatus.REJECTED in {user.kyc_status for user in of(User)}
    assert OrderStatus.OPEN in {order.status for order in of(Order)}
    assert any(trade.liquidation for trade in of(Trade))
    assert [incident.until is None for incident in of(Incident)] == [True, False]


def test_seed_contradicts_itself_nowhere() -> None:
    identifiers = [content.id for content in BOOKS if hasattr(content, "id")]
    assert len(set(identifiers)) == len(identifiers)
    for withdrawal in of(Withdrawal):
        sent = withdrawal.status in (WithdrawalStatus.BROADCAST, WithdrawalStatus.COMPLETED)
        assert (withdrawal.tx_hash is not None) == sent
        assert withdrawal.created_at <= withdrawal.updated_at <= NOW
    for deposit in of(Deposit):
        done = deposit.confirmations >= deposit.confirmations_required
        assert done == (deposit.status is not DepositStatus.CONFIRMING)
        assert deposit.created_at <= deposit.updated_at <= NOW
    orders = {order.id: order for order in of(Order)}
    for trade in of(Trade):
        order = orders[trade.order_id]
        assert (trade.market, trade.side, trade.quantity) == (order.market, order.side, order.filled)


def test_long_lists_come_in_pages_that_join_without_a_gap() -> None:
    numbers = tuple(range(PAGE_SIZE * 2 + 5))
    first = _page(numbers, None)
    second = _page(numbers, first.next_cursor)
    third = _page(numbers, second.next_cursor)
    assert first.items + second.items + third.items == numbers
    assert third.next_cursor is None
