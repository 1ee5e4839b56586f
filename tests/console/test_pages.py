"""What the console does by itself, with nobody behind it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from falcon import testing

from argosy import settings
from argosy.console import app, drawing
from argosy.console.visitors import COOKIE
from argosy.testing import claims

FORM = "username=alice&password=s3cret&project=acme&domain=Default"
FORMS = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def console(tmp_path: Path) -> testing.TestClient:
    """Of a deployment whose API does not run."""
    away = {"port": claims.port()}
    return testing.TestClient(
        app.make(settings.from_tables(tmp_path, {"api": away, "identity": {"port": claims.port()}}))
    )


def test_who_has_not_logged_in_is_led_to_do_so(console: testing.TestClient) -> None:
    for path in ("/instances", "/backups", f"/backups/{'0' * 8}-0000-0000-0000-{'0' * 12}"):
        answer = console.simulate_get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/login"), path
    assert console.simulate_get("/").headers["Location"] == "/instances"
    assert 'name="password" type="password"' in console.simulate_get("/login").text


@pytest.mark.parametrize("odd", ["", '"a\\012b"', "é", "a b", "<b>"])
def test_what_is_no_token_opens_nothing(console: testing.TestClient, odd: str) -> None:
    answer = console.simulate_get("/instances", headers={"Cookie": f"{COOKIE}={odd}"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")


@pytest.mark.parametrize("path", ["/login", "/style.css", "/nowhere", "/healthcheck", "/instances"])
def test_no_page_lets_others_script_or_frame_it(console: testing.TestClient, path: str) -> None:
    answer = console.simulate_get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")


@pytest.mark.parametrize(
    "told",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://falconframework.org"},
    ],
)
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_form_of_another_site_does_nothing(console: testing.TestClient, path: str, told: Mapping[str, str]) -> None:
    answer = console.simulate_post(path, body=FORM, headers={**FORMS, **told}, cookies={COOKIE: "t"})
    assert answer.status_code == 403
    assert "another site" in answer.text


@pytest.mark.parametrize("told", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://falconframework.org"}])
def test_without_an_api_it_says_so(console: testing.TestClient, told: Mapping[str, str]) -> None:
    entering = console.simulate_post("/login", body=FORM, headers={**FORMS, **told})
    looking = console.simulate_get("/instances", cookies={COOKIE: "t"})
    for answer in (entering, looking):
        assert answer.status_code == 503
        assert "does Argosy run there?" in answer.text
        assert "s3cret" not in answer.text


@pytest.mark.parametrize("body", ["", "username=alice", "username=a&username=b&password=c&project=d&domain=e", "%"])
def test_half_a_login_is_refused(console: testing.TestClient, body: str) -> None:
    assert console.simulate_post("/login", body=body, headers=FORMS).status_code == 400


@pytest.mark.parametrize("path", ["/nowhere", "/instances/x", "/backups/..%2F..%2Finstances", "/instances/x/y"])
def test_there_is_no_such_page(console: testing.TestClient, path: str) -> None:
    answer = console.simulate_get(path, cookies={COOKIE: "t"})
    assert answer.status_code == 404
    assert "there is no such page" in answer.text


def test_no_other_method_is_known(console: testing.TestClient) -> None:
    assert console.simulate_delete("/instances").status_code == 405
    assert console.simulate_get("/logout", cookies={COOKIE: "t"}).status_code == 405


def test_what_others_wrote_is_escaped() -> None:
    template = drawing.TEMPLATES.get_template("error.html")
    assert "&lt;script&gt;" in template.render(message="<script>")
