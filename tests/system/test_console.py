"""The console of a real deployment, as a browser asks it."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
import urllib3
from keepers import Keeper
from owners import Owner

from argosy.client.accounts import Accounts
from argosy.client.configurations import Configurations
from argosy.client.credentials import Login
from argosy.client.schedules import Schedules
from argosy.client.session import Session
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

MARKED = "<b>marked</b> & more"


@pytest.fixture(scope="module")
def argosy() -> Iterator[Deployment]:
    """With pages of one row, in a region of another name than the shipped one."""
    told = {"conductor": {"heartbeat_seconds": 1}, "backups": {"drills": "off"}, "api": {"page_size": 1}}
    told |= {"identity": {"region": "north"}}
    with Deployment(level="root", **told) as deployment:
        deployment.cli("datastore", "list")
        yield deployment


@dataclass
class Browser:
    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> tuple[int, str]:
        answer = self._ask("GET", path)
        return answer.status, answer.headers.get("Location") or answer.data.decode()

    def post(self, path: str, **form: str) -> tuple[int, str]:
        answer = self._ask("POST", path, form)
        for told in answer.headers.getlist("Set-Cookie"):
            name, _, rest = told.partition("=")
            self.cookies[name] = rest.partition(";")[0].strip('"')
        return answer.status, answer.headers.get("Location") or answer.data.decode()

    def log_in(self, login: Login) -> tuple[int, str]:
        return self.post(
            "/login", username=login.username, password=login.password, project=login.project, domain=login.domain
        )

    def _ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        body = None if form is None else urlencode(form)
        return urllib3.request(method, self.url + path, body=body, headers=headers, retries=False, redirect=False)


@pytest.fixture
def browser(argosy: Deployment) -> Browser:
    return Browser(f"http://127.0.0.1:{argosy.settings.console.port}")


@pytest.fixture
def keeper(owner: Owner) -> Keeper:
    return Keeper(owner)


def words(page: str) -> str:
    """What is read of it."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_a_login_is_good_until_it_is_ended(argosy: Deployment, browser: Browser) -> None:
    login = argosy.login()
    status, page = browser.log_in(dataclasses.replace(login, password="wrong"))
    assert (status, "wrong" in page, browser.cookies) == (401, False, {})
    assert "check user, password and project" in page
    assert browser.log_in(login) == (303, "/instances")
    kept = Browser(browser.url, dict(browser.cookies))
    assert browser.get("/instances")[0] == 200
    assert browser.post("/logout") == (303, "/login")
    assert browser.get("/instances") == (303, "/login")
    assert kept.get("/instances") == (303, "/login")  # what was copied of it is good for nothing either


def test_it_shows_whether_backups_restore(argosy: Deployment, owner: Owner, keeper: Keeper, browser: Browser) -> None:
    instance = owner.ready("redis")
    first, second = keeper.backed_up(instance), keeper.backed_up(instance)
    browser.log_in(argosy.login())
    status, page = browser.get("/backups")
    assert (status, second["id"] in page, first["id"] in page) == (200, True, False)
    (following,) = re.findall(r'rel="next" href="([^"]*)"', page)
    assert first["id"] in browser.get(f"/backups{html.unescape(following)}")[1]
    place = f"/backups/{second['id']}"
    assert "Proof unproven" in words(browser.get(place)[1])
    argosy.cli("backup", "prove", second["id"])
    shown = words(browser.get(place)[1])
    assert re.search(r"Proof restorable checked 20\S+ , took [\d.]+ s", shown), shown
    assert re.search(r"Started How it ended .* passed [\d.]+ s", shown), shown
    assert "restorable" in words(browser.get(f"/instances/{instance['id']}")[1])
    told = argosy.cli("backup", "show", second["id"]).stdout
    assert re.search(r"^proof +restorable, checked 20\S+, took [\d.]+ s$", told, re.MULTILINE), told


def test_what_goes_on_is_looked_at_again(argosy: Deployment, owner: Owner, browser: Browser) -> None:
    browser.log_in(argosy.login())
    made = owner.create("redis", MARKED)
    place = f"/instances/{made['id']}"
    status, page = browser.get(place)
    assert (status, "<b>marked" in page, MARKED in words(page)) == (200, False, True)
    assert ('http-equiv="refresh"' in page) == (
        "active" in re.findall(r'create_instance <span class="state (\w+)', page)
    )
    owner.ended(made["id"])
    eventually(lambda: "ACTIVE HEALTHY" in words(browser.get(place)[1]))
    assert 'http-equiv="refresh"' not in browser.get(place)[1]
    assert MARKED in words(browser.get("/instances")[1])


def test_lists_are_whole_however_short_pages_are(owner: Owner) -> None:
    session, names = owner.client.session, ["one", "two"]
    made = [owner.ready("redis", each) for each in names]
    schedules, groups, accounts = Schedules(session), Configurations(session), Accounts(session, made[0]["id"])
    version = made[0]["datastore"]["version"]
    for each in names:
        schedules.create({"name": each, "instance_id": made[0]["id"], "cron": "30 2 * * *"})
        groups.create(each, "redis", version, {"timeout": 60}, "")
        accounts.create_user(each, "correct-horse", [])
    for told in (owner.client.instances.list(), schedules.list(), groups.list(), accounts.users()):
        assert sorted(each["name"] for each in told) == names
    for each in list(groups.list()):
        groups.delete(each["id"])


def test_a_tenant_sees_nothing_of_anothers(argosy: Deployment, owner: Owner, keeper: Keeper, browser: Browser) -> None:
    instance = owner.ready("redis")
    backup = keeper.backed_up(instance)
    browser.log_in(argosy.login("demo@demo"))
    for path in (f"/instances/{instance['id']}", f"/backups/{backup['id']}"):
        assert browser.get(path)[0] == 404, path
    for path in ("/instances", "/backups"):
        status, page = browser.get(path)
        assert (status, instance["id"] in page, "none yet" in page) == (200, False, True), path


def test_no_token_is_written_down(argosy: Deployment, browser: Browser) -> None:
    browser.log_in(argosy.login())
    (token,) = browser.cookies.values()
    browser.get("/instances")
    written = [path.read_text(errors="replace") for path in (argosy.state / "logs").glob("*.log*")]
    assert written
    assert all(token not in each for each in written)


def test_a_token_for_no_project_opens_nothing(argosy: Deployment, browser: Browser) -> None:
    login = argosy.login()
    user = {"name": login.username, "password": login.password, "domain": {"name": "Default"}}
    asked = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": "unscoped"}}
    session = Session(login)
    answer = session._send("POST", f"{session.identity}/auth/tokens", asked)
    assert answer.status == 201
    browser.cookies["argosy"] = answer.headers["X-Subject-Token"]
    assert browser.get("/instances") == (303, "/login")
