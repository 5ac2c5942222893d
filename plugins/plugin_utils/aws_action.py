"""What the action plugins that talk to AWS share: arguments from their documentation, clients, progress, deadlines.

They are action plugins rather than modules where a person waits: an action plugin can show what is going on while it
goes on (`Display` is relayed from the worker to the screen at once); a module can only answer at its end.
"""

from __future__ import annotations

import importlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError

from plugins.plugin_utils.clock import LEAST_SECONDS, about, clock
from plugins.plugin_utils.read_once import session
from plugins.plugin_utils.site.kept import keeping

HEARTBEAT_SECONDS = 30
"""How long a wait may be silent."""
POLL_SECONDS = 1.5
"""The first pause of a wait, unless `POLL_VARIABLE` says otherwise.

DescribeStacks is throttled near 5 calls a second an account (https://github.com/aws/aws-sam-cli/issues/2671), which
other people's deployments share. Three stacks at once, with two calls a round of 0.3 s, are 20 calls a second; with one
call (DescribeStackEvents) a round of 1.5 s they are 2. A shorter pause would not even learn more: what a request has
changed shows a second or so later.
"""
ROUNDS_A_SECOND = 3.0
"""Of all waits that stand beside each other: a dozen stacks at once would be 8 with `POLL_SECONDS` alone."""
POLL_VARIABLE = "BERTH_POLL_SECONDS"
"""Environment variable with another first pause, in seconds, for an AWS whose rate is nobody else's."""
LONGEST_POLL_SECONDS = 5.0
UNREACHABLE = (
    "Is this machine's network up, and aws_region a region? A proxy is named by HTTPS_PROXY. "
    "Then type the same command again."
)


class Say(Protocol):
    """Shows one line of progress under the name of the thing it is about."""

    def __call__(self, name: str, text: str, color: str | None = None) -> None: ...


class Failed(Exception):
    """The task failed for a reason that a person can act on.

    Args:
        message: what is wrong and what to type.
        result: further keys for the task's result.
    """

    def __init__(self, message: str, **result: Any) -> None:
        super().__init__(message)
        self.result = result


def specification(documentation: str) -> dict[str, dict[str, Any]]:
    """The argument specification that a plugin's DOCUMENTATION describes, so that the two cannot differ.

    Args:
        documentation: YAML as `ansible-doc` reads it; options that it shares with others are in plugins/doc_fragments.
    """

    def of(options: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        kept = ("type", "elements", "required", "default", "choices", "aliases", "no_log")
        return {
            name: {key: option[key] for key in kept if key in option}
            | ({"options": of(option["suboptions"])} if "suboptions" in option else {})
            for name, option in options.items()
        }

    read = yaml_load(documentation)
    found: dict[str, dict[str, Any]] = {}
    for name in read.get("extends_documentation_fragment") or []:
        if "." not in name:  # those of a collection are for its own modules
            fragment = importlib.import_module(f"plugins.doc_fragments.{name}").ModuleDocFragment.DOCUMENTATION
            found |= yaml_load(fragment)["options"]
    return of(found | (read.get("options") or {}))


def reason(error: BotoCoreError | ClientError) -> str:
    """An AWS error in one sentence: which call, and what AWS says."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        return f"{error.operation_name}: {details.get('Message') or details.get('Code')}"
    return str(error)


class Progress:
    """Lines from any thread, shown by the thread that calls `flush`: names in one column, seconds since the start."""

    def __init__(self, show: Callable[..., None], clock: Callable[[], float] = time.monotonic) -> None:
        self._show, self._clock, self._start = show, clock, clock()
        self._lines: queue.SimpleQueue[tuple[str, str | None]] = queue.SimpleQueue()
        self._expected: dict[str, float] = {}

    def expects(self, seconds: Mapping[str, float]) -> None:
        """What a thing will take, probably, by its name; before it begins."""
        self._expected |= seconds

    def expected(self, name: str) -> float:
        """What a thing will take, probably, in seconds; 0 where nobody knows."""
        return self._expected.get(name, 0.0)

    def say(self, name: str, text: str, color: str | None = None) -> None:
        """Queue one line; see `Say`."""
        for line in text.splitlines():
            self._lines.put((f"  {self._clock() - self._start:6.1f}s  {name:<14} {line}", color))

    def waits(self, name: str, text: str) -> None:
        """A thing has not begun: no line of its own (`LiveTable` has a row for it)."""

    def starts(self, name: str) -> None:
        """A thing begins: no line of its own, as it says so itself where it changes something, but for a long one."""
        if name in self._expected:
            self.say(name, _takes(self._expected[name]))

    def ends(self, name: str, text: str, color: str, news: bool = True) -> None:
        """A thing is over; without `news` that is no line of its own, as what comes of all is said at their end."""
        if news:
            self.say(name, text, color)

    def flush(self) -> None:
        """Show what is queued."""
        for text, color in self._queued():
            self._show(text, color=color)

    def close(self) -> None:
        """Nothing more will be said."""
        self.flush()

    def _queued(self) -> Iterator[tuple[str, str | None]]:
        while not self._lines.empty():
            yield self._lines.get()


def _takes(seconds: float) -> str:
    return f"takes {about(seconds)}, as in the runs before"


class Wait:
    """One wait: its deadline, its rhythm, and its heartbeat.

    Args:
        seconds: until the deadline.
        say: shows a line now and then.
        name: whose line it is.
        clock, sleep: replaced by tests.
        beside: how many waits there are now, this one among them: they share the account's rate.
    """

    def __init__(
        self,
        seconds: float,
        say: Say,
        name: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        beside: Callable[[], int] = lambda: 1,
    ) -> None:
        self.seconds, self._say, self._name, self._beside = seconds, say, name, beside
        self._clock, self._sleep = clock, sleep
        self._start = self._heard = clock()
        self._shown = ""
        self._expects: Callable[[], float] | None = None
        self._expected, self._announce = 0.0, True

    @property
    def elapsed(self) -> float:
        """Seconds since the wait began."""
        return self._clock() - self._start

    def expects(self, seconds: Callable[[], float], announce: bool = True) -> None:
        """Tell how much of the time is over that it will take, probably.

        Args:
            seconds: gives that; 0 where nobody knows. Asked once, and not before the wait has lasted for a while.
            announce: whether it is said when it is known; else somebody has said it.
        """
        self._expects, self._announce = seconds, announce

    def pause(self, what: str) -> bool:
        """Sleep for a while; show `what` is waited for when nothing was shown for long.

        Returns:
            Whether to go on; False once the deadline has passed.
        """
        if self.elapsed >= self.seconds:
            return False
        self._learn()
        if self._clock() - self._heard >= HEARTBEAT_SECONDS:
            self._say(self._name, f"waiting for {what} ({self._over()})")
            self._heard = self._clock()
        # Short waits end promptly, long ones do not hammer the API (a throttled account slows everybody down).
        pause = min(LONGEST_POLL_SECONDS, max(self.first_pause, self.elapsed / 20))
        self._sleep(min(pause, max(0.05, self.seconds - self.elapsed)))
        return True

    def _learn(self) -> None:
        """Ask what is to be expected, once that is worth a question."""
        if self._expects is None or self.elapsed < LEAST_SECONDS:
            return
        self._expected, self._expects = self._expects(), None
        if self._announce and self._expected > self.elapsed:
            self._say(self._name, _takes(self._expected))

    def _over(self) -> str:
        """How much of the time is over."""
        if not self._expected:
            return f"{self.elapsed:.0f} s of at most {self.seconds:.0f} s"
        return f"{clock(self.elapsed)} of {about(self._expected)}, at most {clock(self.seconds)}"

    @property
    def first_pause(self) -> float:
        """Seconds; see `POLL_SECONDS`."""
        given = os.environ.get(POLL_VARIABLE, "")
        try:
            return float(given or max(POLL_SECONDS, self._beside() / ROUNDS_A_SECOND))
        except ValueError:
            raise Failed(f"{POLL_VARIABLE} is {given!r} in the environment; it is a number of seconds.") from None

    def tell(self, text: str, color: str | None = None) -> None:
        """Show `text` unless it was the last thing shown."""
        if text != self._shown:
            self._say(self._name, text, color)
            self._shown, self._heard = text, self._clock()

    def heard(self) -> None:
        """Something was shown: no heartbeat is due for a while."""
        self._heard = self._clock()


class AwsAction(ActionBase):
    """Base of our action plugins: subclasses set `DOCUMENTATION` and implement `perform`."""

    _supports_check_mode = True
    _requires_connection = False
    DOCUMENTATION = ""

    @keeping()
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the arguments, then `perform`; known failures become the task's message."""
        super().run(tmp, task_vars)
        self.task_vars = task_vars or {}
        validated = ArgumentSpecValidator(specification(self.DOCUMENTATION)).validate(self.given())
        if validated.error_messages:
            raise AnsibleActionFail("; ".join(validated.error_messages), obj=self._task.args)
        self.arguments: dict[str, Any] = validated.validated_parameters
        self.progress = self.make_progress()
        self._session: Any = None
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._clients_lock = threading.Lock()
        try:
            return self.perform()
        except Failed as error:
            return {"failed": True, "changed": False, "msg": str(error)} | error.result
        except ConnectionError as error:
            return {"failed": True, "changed": False, "msg": f"{reason(error).rstrip('.')}. {UNREACHABLE}"}
        except (BotoCoreError, ClientError) as error:
            return {"failed": True, "changed": False, "msg": reason(error)}
        finally:
            self.progress.close()

    def make_progress(self) -> Progress:
        """How this action shows what it is at."""
        return Progress(Display().display)

    def given(self) -> dict[str, Any]:
        """The arguments, before they are checked; a subclass may know more than the task says."""
        return dict(self._task.args)

    def perform(self) -> dict[str, Any]:
        """Do the work; the result of the task.

        Raises:
            Failed: for the reasons that a person can act on.
        """
        raise NotImplementedError

    def say(self, name: str, text: str, color: str | None = None) -> None:
        """Show one line of progress at once; for plugins that work in one thread."""
        self.progress.say(name, text, color)
        self.progress.flush()

    @property
    def check_mode(self) -> bool:
        """Whether nothing may be changed."""
        return bool(self._task.check_mode)

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client; endpoint, credentials and region come from the environment (inventory plugin `environment`).

        Args:
            service: boto3's name of it.
            region: where not the task's `region` or the environment's.
        """
        with self._clients_lock:
            self._session = self._session or session()
            region = region or self.arguments.get("region") or self._session.region_name
            if (service, region) not in self._clients:
                self._clients[service, region] = self._session.client(
                    service,
                    region_name=region,
                    # Adaptive: several stacks are watched at once, and an account's API rate is shared with others.
                    config=Config(retries={"mode": "adaptive", "max_attempts": 10}, max_pool_connections=30),
                )
            return self._clients[service, region]
