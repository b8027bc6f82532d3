"""The types of the clients' keyword arguments are those of the settings and the faults."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from mockvod.faults import rules
from mockvod.testing import options
from mockvod.testing.calls import Calls, ClockCalls
from mockvod.testing.options import Scope, When
from tests import option_types


def test_the_types_of_settings_and_faults_are_up_to_date() -> None:
    assert Path(options.__file__).read_text(encoding="utf-8") == option_types.rendered(), "run `make docs`"


def test_the_types_of_rules_and_scopes_are_up_to_date() -> None:
    assert list(When.__annotations__) == list(rules.RULES)
    assert list(Scope.__annotations__) == [field.name for field in fields(rules.Scope)]


def test_the_types_cost_no_import_of_pydantic() -> None:
    code = "import sys, mockvod.testing.account; print('pydantic' in sys.modules, 'aiohttp' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert printed == "False False\n"


def test_every_argument_of_a_call_is_annotated() -> None:
    for kind in (Calls, ClockCalls):
        for name, call in vars(kind).items():
            if not name.startswith("_") or name == "__call__":
                annotations = dict(call._function.__annotations__)
                assert "return" in annotations, name
