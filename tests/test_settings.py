"""Settings: each given once, told in three ways, refused with its name, its value and where it came from."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mockvod import durations
from mockvod.cli.main import main
from mockvod.settings import Definition, Settings, definitions
from mockvod.settings_load import SettingsError, load

ALL = list(definitions())
SAMPLES: dict[str, tuple[Any, Any]] = {
    "task_error": ("SourceFileError.ContentMalformed", "InternalError"),
    # Two values other than the default for each, where its kind does not say enough.
    "host": ("0.0.0.0", "::1"),
    "port": (9000, 9001),
    "seed": (1, 2),
    "secret_id": ("AKIDone", "AKIDtwo"),
    "secret_key": ("one", "two"),
    "sign_key": ("one", "two"),
    "callback_url": ("http://one/", "https://two:8443/x"),
    "callback_url_v2": ("http://one/", "http://two/"),
    "public_url": ("http://one", "http://two"),
    "callback_user_agent": ("one", "two/1.0"),
    "faults": ("throttled", "slow-vendor,lost-confirm"),
    "scenario": ("pull-worker", "two/three.yaml"),
    "journal_entries": (100, 200),
    "journal_bytes": (5000, 6000),
    "pending_bytes": (5000, 6000),
    "allowed_origins": ("http://localhost:3000", "https://one.test,http://two:1"),
    "allowed_hosts": ("vod.example.com", "*"),
    "settle_grace": (0.5, 60.0),
}


def samples(one: Definition, tmp_path: Path) -> tuple[Any, Any]:
    if one.name in SAMPLES:
        return SAMPLES[one.name]
    if one.name in {"callback_ca", "tls_cert", "tls_key"}:
        paths = tmp_path / "one.pem", tmp_path / "two.pem"
        for path in paths:
            path.touch()
        return str(paths[0]), str(paths[1])
    if one.kind == "true|false":
        return True, False
    if "|" in one.kind:
        first, *_, last = one.kind.split("|")
        return first, last
    return {"seconds": (0.5, 90.0), "number": (3, 4), "text": ("one", "two")}[one.kind]


def beside(one: Definition) -> dict[str, str]:
    """What must be given with it."""
    return {"secret_id": {"secret_key": "x"}, "secret_key": {"secret_id": "x"}}.get(one.name, {})


def written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for one in ALL:
        monkeypatch.delenv(one.variable, raising=False)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.key)
def test_a_setting_is_given_by_flag_over_variable_over_file_over_default(one: Definition, tmp_path: Path) -> None:
    low, high = samples(one, tmp_path)
    file = tmp_path / "settings.toml"
    rest = beside(one)

    def value(**given: Any) -> tuple[Any, str]:
        loaded = load(**given)
        return getattr(loaded.settings, one.name), loaded.origins[one.name]

    assert value(environ={}) == (Settings.model_fields[one.name].default, "default")

    file.write_text(
        "".join(f"{key.replace('_', '-')} = {json.dumps(v)}\n" for key, v in {**rest, one.name: low}.items())
    )
    assert value(environ={}, file=file) == (low, f"file {file}")

    environ = {one.variable: written(high)}
    assert value(environ=environ, file=file) == (high, f"variable {one.variable}")

    flags = {one.name: written(low)}
    assert value(flags=flags, environ=environ, file=file) == (low, f"flag {one.flag}")


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.key)
def test_a_setting_has_one_name_in_three_spellings_and_words_for_people(one: Definition) -> None:
    assert one.flag == "--" + one.key == "--" + one.name.replace("_", "-")
    assert one.variable == "MOCKVOD_" + one.name.upper()
    assert one.description.endswith(".")


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.key)
def test_the_command_line_has_the_flag(
    one: Definition, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    value, _ = samples(one, tmp_path)
    for name, other in beside(one).items():
        monkeypatch.setenv("MOCKVOD_" + name.upper(), other)
    with pytest.raises(SystemExit) as ended:
        main(["config", "--json", one.flag, *([] if value is True else [written(value)])])
    assert ended.value.code == 0
    rows = {row["setting"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows[one.key] == {
        "setting": one.key,
        "value": "***" if one.secret else value,
        "origin": f"flag {one.flag}",
    }


def test_the_names_are_those_of_the_settings_and_unique() -> None:
    assert sorted(one.name for one in ALL) == sorted(Settings.model_fields)


def test_a_switch_is_turned_off_by_a_flag_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKVOD_ACCESS_LOG", "true")
    with pytest.raises(SystemExit):
        main(["config", "--no-access-log"])
    assert re.search(r"^access-log +false +flag --access-log$", capsys.readouterr().out, re.MULTILINE)


def test_secrets_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    secrets = ["--secret-id", "AKIDmine", "--secret-key", "hush1", "--sign-key", "hush2"]
    for form in ([], ["--json"]):
        with pytest.raises(SystemExit) as ended:
            main(["config", *form, *secrets])
        reported = capsys.readouterr().out
        assert ended.value.code == 0
        assert "hush" not in reported
        assert reported.count("***") == 2


def test_the_file_of_the_working_directory_is_read(tmp_path: Path) -> None:
    (tmp_path / "mockvod.toml").write_text("port = 9000\npoll_hold = '2s'")
    loaded = load(environ={})
    assert (loaded.settings.port, loaded.settings.poll_hold) == (9000, 2)
    assert loaded.origins["port"] == "file mockvod.toml"


def test_a_file_may_be_named_by_a_variable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.toml").write_text("port = 9000")
    monkeypatch.setenv("MOCKVOD_CONFIG", "other.toml")
    with pytest.raises(SystemExit):
        main(["config"])
    assert "file other.toml" in capsys.readouterr().out


def test_an_empty_variable_is_one_that_was_not_set() -> None:
    loaded = load(environ={"MOCKVOD_SEED": "", "MOCKVOD_PORT": "", "MOCKVOD_MODE": "", "MOCKVOD_EVERY": ""})
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}


def test_an_empty_variable_takes_a_text_away(tmp_path: Path) -> None:
    (tmp_path / "mockvod.toml").write_text("callback-url = 'http://one/'")
    assert load(environ={"MOCKVOD_CALLBACK_URL": ""}).settings.callback_url == ""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("5m", 300), ("1h", 3600), ("4d", 345600), ("2.5", 2.5), (" 1 m ", 60), ("0", 0)],
)
def test_durations_are_written_as_people_do(text: str, seconds: float) -> None:
    assert load({"visibility_timeout": text}, environ={}).settings.visibility_timeout == seconds
    assert durations.seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-inf", "nans", "infd", "-1", "-1s", "", "s", "5 parsecs", "1s2", "1e999", "11000d"]
)
def test_durations_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^visibility-timeout: .* \(flag --visibility-timeout\)$"):
        load({"visibility_timeout": text}, environ={})


@pytest.mark.parametrize("toml", ["nan", "inf", "-1.5", "true", "[1]", "'soon'"])
def test_durations_of_a_file_that_are_none_are_refused(toml: str, tmp_path: Path) -> None:
    (tmp_path / "mockvod.toml").write_text(f"poll-hold = {toml}")
    with pytest.raises(SettingsError, match=r"^poll-hold: must be .* \(file mockvod.toml\)$"):
        load(environ={})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", "x", "port: must be a valid integer, unable to parse string as an integer, got 'x'"),
        ("port", "70000", "65535"),
        ("mode", "BOTH", "'PULL' or 'PUSH'"),
        ("access_log", "perhaps", "got 'perhaps'"),
        ("callback_url", "receiver:8080", "must be an http:// or https:// URL, or empty"),
        ("callback_url", "http://", "http:// or https://"),
        ("callback_url", "http://[", "got 'http://['"),
        ("callback_ca", "/no/such.pem", "callback-ca: no such file, got '/no/such.pem'"),
        ("callback_user_agent", "a\nb", "callback-user-agent"),
        ("every", "0.1ms", "must be 0 (never) or at least 1ms"),
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_origin(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        load({name: value}, environ={})
    assert said in str(error.value)
    assert str(error.value).endswith(f"(flag --{name.replace('_', '-')})")


def test_an_invalid_secret_is_not_shown() -> None:
    with pytest.raises(SettingsError) as error:
        load(environ={"MOCKVOD_SIGN_KEY": "hush hush"})
    assert str(error.value).startswith("sign-key: must be at most 32 letters and digits")
    assert "hush" not in str(error.value)


@pytest.mark.parametrize(("given", "other"), [("secret_id", "secret-key"), ("secret_key", "secret-id")])
def test_half_of_a_credential_is_refused(given: str, other: str) -> None:
    with pytest.raises(SettingsError, match=rf"given without {other}: .* \(variable MOCKVOD_{given.upper()}\)"):
        load(environ={f"MOCKVOD_{given.upper()}": "x"})


def test_all_invalid_values_are_reported_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        load({"port": "x", "mode": "y"}, environ={})
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("pol-hold = 5", "pol-hold: unknown setting (file mockvod.toml); did you mean poll-hold?"),
        ("zzz = 5", "zzz: unknown setting (file mockvod.toml)"),
        ("[mockvod]\nport = 1", "mockvod: unknown setting"),
        ("port =", "the settings file mockvod.toml is not TOML"),
        ("\xff", "is not TOML"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(toml: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mockvod.toml").write_bytes(toml.encode("latin-1"))
    with pytest.raises(SettingsError) as error:
        load(environ={})
    assert said in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^cannot read the settings file none\.toml: No such file"):
        load(environ={}, file=Path("none.toml"))


def test_an_unknown_variable_is_warned_of() -> None:
    warnings = load(environ={"MOCKVOD_POL_HOLD": "5", "MOCKVOD_URL": "x", "MOCKVOD_CONFIG": "x", "OTHER": "y"}).warnings
    assert warnings == ("unknown variable MOCKVOD_POL_HOLD is ignored; did you mean MOCKVOD_POLL_HOLD?",)


@pytest.mark.parametrize(
    ("given", "mode"),
    [({}, "PULL"), ({"callback_url": "http://x/"}, "PUSH"), ({"callback_url": "http://x/", "mode": "PULL"}, "PULL")],
)
def test_the_mode_follows_the_callback_url_unless_it_is_set(given: dict[str, str], mode: str) -> None:
    assert load(given, environ={}).settings.effective_mode == mode


def test_changed_settings_are_a_copy() -> None:
    before = Settings()
    after = before.changed({"poll_hold": "1m"})
    assert (before.poll_hold, after.poll_hold) == (5, 60)


def test_variables_of_a_kubernetes_service_are_ignored_with_one_warning(tmp_path: Path) -> None:
    environ = {
        "MOCKVOD_PORT": "tcp://10.0.0.1:8266",
        "MOCKVOD_SERVICE_HOST": "10.0.0.1",
        "MOCKVOD_SERVICE_PORT_HTTP": "8266",
        "MOCKVOD_PORT_8266_TCP_ADDR": "10.0.0.1",
    }
    (tmp_path / "mockvod.toml").write_text("port = 9000\n", encoding="utf-8-sig")
    loaded = load(environ=environ, file=tmp_path / "mockvod.toml")
    assert loaded.settings.port == 9000
    [warning] = loaded.warnings
    assert "MOCKVOD_PORT=tcp://10.0.0.1:8266" in warning
