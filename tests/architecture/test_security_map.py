"""Every security requirement in scope is shown by a test, and docs/security.md says which."""

import re

import pytest

from tests.architecture.security_map import PAGE, REPOSITORY, REQUIREMENTS, marks

_LINK = re.compile(r"\]\(\.\./(tests/[^)]+)\)")


@pytest.mark.parametrize("number", [n for n, item in REQUIREMENTS.items() if not item.later])
def test_requirement_in_scope_has_a_test(number: int) -> None:
    """A requirement without a test is a wish."""
    assert marks().get(number), f"no test is marked with # S{number}"


def test_marks_name_requirements_that_exist() -> None:
    """A number that nobody defined is a slip."""
    assert set(marks()) <= set(REQUIREMENTS)


def test_page_is_true() -> None:
    """Each row of the page stands, and each test file that it links shows what the row says."""
    page = PAGE.read_text(encoding="utf-8")
    shown = marks()
    for number, requirement in REQUIREMENTS.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| S{number} |"))
        assert requirement.text in row
        linked = _LINK.findall(row)
        assert linked or requirement.later in row
        stale = [name for name in linked if name not in shown.get(number, [])]
        assert not stale, "run: python -m tests.architecture.security_map"
        assert all((REPOSITORY / name).is_file() for name in linked)
