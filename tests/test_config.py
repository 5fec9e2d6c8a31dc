"""Settings: a missing or wrong one stops the start with one line that names it and not its value."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from voxanne.config import LOCAL_WEBHOOK_SECRET, ConfigError, Settings, load_settings

ROOT = Path(__file__).parent.parent
SECRET = "marker-secret-value"
GOOD = {
    "APP_ENV": "production",
    "CSRF_SECRET": "c" * 32,
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "SUPABASE_URL": "https://project.example",
    "SUPABASE_PUBLISHABLE_KEY": "publishable",
    "SUPABASE_SERVICE_ROLE_KEY": "service",
}
DEVELOPMENT = {"APP_ENV": "development", "DEV_AUTH_BYPASS": "true"}
KNOWN = {name.upper() for name in Settings.model_fields}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine, and no `.env` of the clone."""
    for name in os.environ:
        if name.upper() in KNOWN:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def load(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> Settings:
    for name, value in {**GOOD, **changes}.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    return load_settings()


def test_what_is_needed_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)

    assert settings.supabase_base == "https://project.example"
    assert settings.jwt_issuer == "https://project.example/auth/v1"
    assert (settings.host, settings.port, settings.web_concurrency) == ("127.0.0.1", 3001, 1)
    assert settings.dev_auth_bypass is False


def test_production_is_the_default() -> None:
    assert Settings.model_fields["app_env"].default == "production"


@pytest.mark.parametrize(
    "name", ["SUPABASE_URL", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SERVICE_ROLE_KEY", "CSRF_SECRET", "ENCRYPTION_KEYS"]
)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_one_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str | None) -> None:
    with pytest.raises(ConfigError, match=name):
        load(monkeypatch, **{name: value})


WRONG = {
    "APP_ENV": "prod",
    "PORT": "65536",
    "WEB_CONCURRENCY": "0",
    "WEB_THREADS": "many",
    "BACKEND_URL": SECRET,
    "TRUSTED_PROXIES": "-1",
    "CSRF_SECRET": SECRET,
    "LOG_LEVEL": "LOUD",
    "DEV_AUTH_BYPASS": "perhaps",
    "ENCRYPTION_KEYS": SECRET,
    "REDIS_URL": f"http://{SECRET}",
    "CORS_ORIGIN": f"https://one.example,{SECRET}",
    "SUPABASE_URL": f"ftp://{SECRET}",
    "SUPABASE_JWT_SECRET": SECRET,
    "SUPABASE_TIMEOUT_SECONDS": "0",
    "SUPABASE_CONNECTIONS": "0",
    "RATE_LIMIT_PER_ORG_HOUR": "0",
    "RATE_LIMIT_FAILED_AUTH_MINUTE": "0",
    "VAPI_WEBHOOK_SECRET": "too-short, a-secret-that-is-long-enough",
    "VAPI_SIGNATURE_HEADER": "X Signature:",
    "WEBHOOK_TOLERANCE_SECONDS": "0",
    "WEBHOOK_RATE_LIMIT_PER_MINUTE": "0",
    "RECORDING_URL_EXPIRY_SECONDS": "1",
}


@pytest.mark.parametrize(("name", "value"), WRONG.items(), ids=WRONG)
def test_a_wrong_one_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        load(monkeypatch, **{name: value})

    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.__cause__)


@pytest.mark.parametrize(
    "origin", ["*", "null", "https://a.example/path", "a.example", "https://*.example", "https://"]
)
def test_an_origin_is_a_scheme_and_a_host(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    with pytest.raises(ConfigError, match="CORS_ORIGIN"):
        load(monkeypatch, CORS_ORIGIN=origin)


def test_origins_stand_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, CORS_ORIGIN="https://a.example, http://localhost:3000/ https://b.example:8443")

    assert settings.cors_origin == ("https://a.example", "http://localhost:3000", "https://b.example:8443")


def test_several_wrong_ones_are_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"PORT.*SUPABASE_URL|SUPABASE_URL.*PORT"):
        load(monkeypatch, SUPABASE_URL=None, PORT="x")


def test_several_processes_need_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="REDIS_URL"):
        load(monkeypatch, WEB_CONCURRENCY="2")

    assert load(monkeypatch, WEB_CONCURRENCY="2", REDIS_URL="redis://cache.example/0").web_concurrency == 2


@pytest.mark.parametrize(
    "options",
    ["?foo=bar", "?socket_timeout=soon", "?db=first", "?protocol=9", "?decode_responses=true", f"?{SECRET}={SECRET}"],
)
def test_a_redis_address_has_only_options_that_work(monkeypatch: pytest.MonkeyPatch, options: str) -> None:
    with pytest.raises(ConfigError, match="REDIS_URL") as caught:
        load(monkeypatch, REDIS_URL=f"redis://cache.example/0{options}")

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_options_that_redis_py_knows_are_taken(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    url = f"{scheme}://user:secret@cache.example:6380/2?health_check_interval=30&client_name=voxanne"
    redis_url = load(monkeypatch, REDIS_URL=url).redis_url

    assert redis_url
    assert redis_url.get_secret_value() == url


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.9.10"])
def test_the_bypass_is_for_this_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    assert load(monkeypatch, **DEVELOPMENT, HOST=host).dev_auth_bypass


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "clinic.example", "127.0.0.1.example"])
def test_the_bypass_is_refused_where_others_can_reach_it(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(ConfigError, match="DEV_AUTH_BYPASS"):
        load(monkeypatch, **DEVELOPMENT, HOST=host)


@pytest.mark.parametrize("app_env", ["test", "staging", "production"])
def test_the_bypass_is_refused_outside_development(monkeypatch: pytest.MonkeyPatch, app_env: str) -> None:
    with pytest.raises(ConfigError, match="DEV_AUTH_BYPASS"):
        load(monkeypatch, APP_ENV=app_env, DEV_AUTH_BYPASS="true")


def test_the_public_webhook_secret_is_for_development(monkeypatch: pytest.MonkeyPatch) -> None:
    public = LOCAL_WEBHOOK_SECRET
    assert load(monkeypatch, APP_ENV="development", VAPI_WEBHOOK_SECRET=public).webhook_secrets == (public,)
    for app_env in ("staging", "production"):
        with pytest.raises(ConfigError, match="VAPI_WEBHOOK_SECRET"):
            load(monkeypatch, APP_ENV=app_env, VAPI_WEBHOOK_SECRET=f"another-secret-of-ours,{public}")


def test_the_public_webhook_secret_is_the_one_of_the_example_and_of_make_run() -> None:
    for file in (".env.example", "supabase/local/settings.mjs"):
        assert LOCAL_WEBHOOK_SECRET in (ROOT / file).read_text()


def test_secrets_do_not_show_in_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"SUPABASE_SERVICE_ROLE_KEY": SECRET, "CSRF_SECRET": SECRET * 2, "SUPABASE_JWT_SECRET": SECRET * 3}
    redis = f"redis://:{SECRET}@cache.example/0"

    assert SECRET not in repr(load(monkeypatch, **keys, SUPABASE_PUBLISHABLE_KEY=SECRET, REDIS_URL=redis))


def test_a_dotenv_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=3101\nLOG_LEVEL=DEBUG\n")

    settings = load(monkeypatch, LOG_LEVEL="ERROR")

    assert (settings.port, settings.log_level) == (3101, "ERROR")


def gunicorn(**changes: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in KNOWN}
    return subprocess.run(
        [sys.executable, "-m", "gunicorn", "wsgi:app", "-c", str(ROOT / "voxanne" / "gunicorn.py")],
        env={**environment, **GOOD, "PYTHONPATH": str(ROOT), **changes},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"SUPABASE_URL": ""}, "SUPABASE_URL"),
        ({"CSRF_SECRET": SECRET}, "CSRF_SECRET"),
        ({"SUPABASE_JWT_SECRET": SECRET}, "SUPABASE_JWT_SECRET"),
        ({"PORT": SECRET}, "PORT"),
        ({"WEB_CONCURRENCY": "2"}, "WEB_CONCURRENCY"),
        ({"DEV_AUTH_BYPASS": "true"}, "DEV_AUTH_BYPASS"),
        ({"REDIS_URL": f"http://{SECRET}"}, "REDIS_URL"),
        ({"REDIS_URL": f"redis://127.0.0.1/0?foo={SECRET}"}, "REDIS_URL"),
        ({"CORS_ORIGIN": "*"}, "CORS_ORIGIN"),
    ],
    ids=str,
)
def test_gunicorn_stops_with_one_line(changes: dict[str, str], name: str) -> None:
    done = gunicorn(**changes)

    said = done.stderr + done.stdout
    assert done.returncode == 1
    assert "Traceback" not in said
    assert [line for line in said.splitlines() if line.startswith("voxanne: ") and name in line]
    assert len(said.strip().splitlines()) == 1
    assert ".env.example" in said
    assert "Value error" not in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"OPERATORS": "ops@voxanne.example"}, "only in development"),
        ({"OPERATORS": "somebody"}, "OPERATORS"),
        ({"METRICS_TOKEN": SECRET[:15]}, "METRICS_TOKEN"),
        ({"SLOW_REQUEST_MS": "0"}, "SLOW_REQUEST_MS"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "nowhere"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ],
    ids=str,
)
def test_settings_of_the_monitoring_that_cannot_be_are_refused(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        load(monkeypatch, **changes)

    assert SECRET[:15] not in str(error.value)


def test_operators_are_read_as_words_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = "0E7A0000-0000-4000-8000-000000000001", "0e7a0000-0000-4000-8000-000000000002"

    assert load(monkeypatch, OPERATORS=f"{one}, {other}").operators == (one.lower(), other)
