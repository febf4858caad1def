from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from argon2 import PasswordHasher

from escalation.console import auth
from tests.phone_desk.desk import PhoneDesk, phone_desk


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Every log-in of these tests would wait for a hash that is slow on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PhoneDesk]:
    """One desk for the tests of a module, on either database. Its clock only moves on."""
    url = ""
    if request.param == "postgresql":
        make: Callable[[], str] = request.getfixturevalue("postgres")
        url = make()
    async with phone_desk(tmp_path_factory.mktemp("phone"), url) as made:
        yield made
