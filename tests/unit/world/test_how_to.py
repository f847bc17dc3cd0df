"""The world file that the docs show is one."""

from __future__ import annotations

import re
from pathlib import Path

from fullmakt.world.demo import demo_world
from fullmakt.world.parse import parse
from fullmakt.world.plan import Action, plan

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "world-file.md"


def test_the_world_of_the_how_to_is_new_beside_the_demo_world_and_changes_nothing_of_it() -> None:
    example = "".join(re.findall(r"```toml\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL))
    steps = plan(parse(example), demo_world()).steps
    assert [str(step) for step in steps if step.action is not Action.CREATE] == []
    assert steps
