"""What an agent's words mean; the rest is in the recording of test_health."""

from __future__ import annotations

from sim.haproxy.agent import Admin, AgentAnswer, read_agent
from sim.haproxy.status import Status


def test_the_words_of_an_agent() -> None:
    assert read_agent("up 50%,maxconn:30\nmore") == AgentAnswer(Status.L7OK, None, 50, 30, "via agent : up")
    assert read_agent("MAINT") == AgentAnswer(admin=Admin.MAINT)
    assert read_agent("down # too hot") == AgentAnswer(Status.L7STS, text="via agent : down (too hot)")
    assert read_agent("") == AgentAnswer()


def test_hostile_words_are_bounded() -> None:
    assert read_agent("9" * 5000 + "%").percent == 999_999
    assert read_agent("²%").percent is None
    assert read_agent("maxconn:x").text == "agent reports an error : maxconn:x"
