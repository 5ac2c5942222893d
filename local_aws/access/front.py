"""The WSGI application that stands in front of the APIs and asks IAM about each call."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from local_aws.access import clocks, denials, federated, judging, needs, operator, requests
from local_aws.access.callers import NOBODY, Caller, Callers, access_key
from local_aws.access.denials import Denial, Denials
from local_aws.access.estate import Estate
from local_aws.access.needs import Context, Need
from local_aws.access.resources import Asked
from local_aws.cloud import CALLER, Cloud
from local_aws.config import ACCOUNT_ID, Iam
from local_aws.iam.principals import Principal
from local_aws.late.calls import Answer, Application, Environ

log = logging.getLogger("local_aws.iam")
HERE: Context = {"aws:SecureTransport": "true"}
"""This machine's address stands for AWS's endpoints, which have TLS."""
PAGES = ("/moto-api", "/_local_aws")


class Guard:
    """IAM at the door of one embedded AWS.

    Args:
        cloud: the embedded AWS.
        mode: what becomes of a call that is denied.
        denied: where denials are written down.
        policies: the operator's, by name; those of docs/ by default.
    """

    def __init__(
        self, cloud: Cloud, mode: Iam, denied: Denials, policies: Mapping[str, dict[str, Any]] | None = None
    ) -> None:
        self.mode, self.denied = mode, denied
        self.estate = Estate(cloud)
        self.callers = Callers(self.estate, operator.policies() if policies is None else policies)

    @property
    def enforces(self) -> bool:
        """Whether what is denied is refused."""
        return self.mode is Iam.ENFORCE

    def before(self, application: Application) -> Application:
        """Put this before the APIs."""

        def serve(environ: Environ, start_response: Any) -> Iterable[bytes]:
            key = access_key(environ)
            caller = self.callers.of(key)
            if caller is not None and caller.inside:
                return application(environ, start_response)
            refused = self._refusal(environ, key, caller)
            if refused is not None:
                start_response(refused.status, refused.headers)
                return [refused.body]
            # Who acts with the caller's rights, as CloudFormation does, has to know whose they are.
            before = CALLER.set(key)
            try:
                return application(environ, start_response)
            finally:
                CALLER.reset(before)

        return serve

    def may(self, caller: Caller, need: Need, call: str = "", context: Context | None = None) -> Denial | None:
        """Have a need judged: None if the caller may, else the denial, which is written down.

        Args:
            caller: who.
            need: what.
            call: for the log, `ecs:RunTask`.
            context: keys beside those of the need.
        """
        if caller.inside or need.action in needs.ALWAYS:
            return None
        denial = judging.judge(caller, need, (context or {}) | need.context, self.estate, call)
        if denial is not None:
            self.denied.add(denial, self.enforces)
        return denial

    def trust(self, role: str, service: str, source: str = "") -> str:
        """Why a service of AWS may not assume a role, by the role's trust policy; empty if it may, or IAM only records.

        Args:
            role: the role's ARN.
            service: `ec2.amazonaws.com`.
            source: ARN of what the role is assumed for.
        """
        found = self.estate.role(role)
        keys = {"aws:SourceAccount": ACCOUNT_ID} | ({"aws:SourceArn": source} if source else {})
        if found is None:
            said = f"The role {role} does not exist."
        else:
            said = judging.trusts(found.assume_role_policy_document, Principal.service(service), role, keys)
        if not said:
            return ""
        self.denied.add(Denial(service, "sts:AssumeRole", role, said, "", "sts:AssumeRole"), self.enforces)
        return said if self.enforces else ""

    def acting(self, role: str, session: str, call: tuple[str, str], region: str, parameters: dict[str, Any]) -> str:
        """Why a service that acts with a role may not make a call; see `roles.refusal`."""
        caller, asked = self.callers.role(role, session), Asked(*call, region, parameters)
        found = [self.may(caller, need, asked.name, HERE) for need in needs.of(asked, self.estate)]
        return next((each.message for each in found if each is not None and self.enforces), "")

    def connection(self, key: str, action: str, cluster: str, instance: str, region: str) -> str:
        """Why an agent may not connect; empty if it may, or IAM only records.

        Args:
            key: the access key of its handshake.
            action: `Poll` or `StartTelemetrySession`.
            cluster, instance: names or ARNs.
            region: of the cluster.
        """
        caller = self.callers.of(key)
        if caller is None or caller is NOBODY:
            caller = Caller(Principal.anonymous())
        denial = self.may(caller, needs.connection(action, cluster, instance, region), f"ecs:{action}", HERE)
        return denial.message if denial is not None and self.enforces else ""

    def describe(self) -> str:
        """One line for `status`."""
        total = sum(self.denied.counts.values())
        who = sorted({f"{action} for {name.rpartition('/')[2] or name}" for name, action in self.denied.counts})
        shown = ", ".join(who[:3]) + (f" and {len(who) - 3} more" if len(who) > 3 else "")
        where = f"; {self.denied.path}" if total and self.denied.path else ""
        return f"{self.mode}: {total} denials{f' ({shown})' if who else ''}{where}"

    def _refusal(self, environ: Environ, key: str, caller: Caller | None) -> Answer | None:
        """The same as `_refused`; a fault of ours refuses a call where IAM is enforced, else it is told in the log."""
        try:
            return self._refused(environ, key, caller)
        except Exception as error:
            log.exception("%s %s could not be judged", environ.get("REQUEST_METHOD"), environ["PATH_INFO"])
            return denials.answer(None, f"IAM failed to judge this call: {error!r}") if self.enforces else None

    def _refused(self, environ: Environ, key: str, caller: Caller | None) -> Answer | None:
        """The refusal of a request; None to go on with it."""
        if environ.get("REQUEST_METHOD") == "OPTIONS":
            return None  # a browser's question before a call, which nobody signs
        received = requests.received(environ)
        if received is None:
            return self._unrecognized(environ, key) if key else self._unsigned(environ)
        if received.key:  # a form's
            key, caller = received.key, self.callers.of(received.key)
        if caller is not None and caller.inside:
            return None
        if caller is None:
            self.denied.add(Denial(f"key {key}", received.asked.name, "*", denials.NO_SUCH_KEY), self.enforces)
            return denials.unknown_key(received.call, key) if self.enforces else None
        late = clocks.refusal(environ, received.call, datetime.datetime.now(datetime.UTC))
        if late is not None and self.enforces:
            return late
        context = HERE | {"aws:SourceIp": environ.get("REMOTE_ADDR") or "127.0.0.1"}
        if caller.source:
            context |= {"aws:SourceArn": caller.source, "aws:SourceAccount": ACCOUNT_ID}
        try:
            wanted = needs.of(received.asked, self.estate)
        except needs.UnknownCall as unknown:
            found = Denial(caller.principal.arn, received.asked.name, "*", str(unknown))
            self.denied.add(found, self.enforces)
            return denials.answer(received.call, str(unknown)) if self.enforces else None
        for need in wanted:
            denial = self.may(caller, need, received.asked.name, context)
            if denial is not None and self.enforces:
                return denials.answer(received.call, denial.message, environ["REQUEST_METHOD"] == "HEAD")
        return None

    def _unsigned(self, environ: Environ) -> Answer | None:
        """Of what nobody signs, an identity provider's token is judged, and the embedded AWS's own pages are let be."""
        if environ["PATH_INFO"].startswith(PAGES):
            return None
        given = federated.asked(environ)
        if given.get("Action") == federated.ACTION:
            denial = federated.denied(given, self.estate)
        elif not self.enforces:
            return None
        else:
            what = f"{environ.get('REQUEST_METHOD')} {environ['PATH_INFO']}"
            denial = Denial("", given.get("Action", what), "*", "Request is missing Authentication Token")
        if denial is None:
            return None
        self.denied.add(denial, self.enforces)
        return denials.unsigned(denial.message, "HTTP_X_AMZ_TARGET" in environ) if self.enforces else None

    def _unrecognized(self, environ: Environ, key: str) -> Answer | None:
        """What is signed and yet no call of a model is refused: nobody knows what it needs."""
        what = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        said = f"The embedded AWS does not know which call {what} is, so that IAM cannot allow it."
        self.denied.add(Denial(f"key {key}", what, "*", said), self.enforces)
        return denials.answer(None, said) if self.enforces else None
