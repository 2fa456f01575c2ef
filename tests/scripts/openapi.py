"""Generated calls: schemathesis derives them from the OpenAPI document; an admin, a cashier and an anonymous client send them.

Every response must be documented (status, content type, headers, schema), and none may be a 5xx. The generated calls are the same
each time. Every call is also sent as its example shows it, for existing records, so that not only errors are tested.
"""

import collections
import itertools
import json
import os
import sys

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

BASE, PASSWORD = os.environ["BASE"], os.environ["PASSWORD"]
API = f"{BASE}/api/v1"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# the number of valid and of invalid requests that are generated for a call, by caller
BUDGET = {"admin": (16, 10), "cashier": (6, 4), "nobody": (3, 2)}
# these are neither changed nor deleted: the callers use them
PROTECTED = {"admin", "manager", "cashier", "guinea-admin", "guinea-cashier", "P01", "P02"}
# the till of each caller: tickets are sold there only
TILLS = {"admin": "P01", "cashier": "P02"}
# calls that end or may end the session in which they are sent, or replace its tokens; each is sent in a separate session
OWN = {
    ("DELETE", "/api/v1/sessions/current"),
    ("PUT", "/api/v1/sessions/current/password"),
    ("POST", "/api/v1/sessions/current/step-up"),
    ("POST", "/api/v1/sessions/end"),
}
# calls whose responses do not end; `tests/events.rs` follows them
ENDLESS = {("GET", "/api/v1/events")}

# calls that succeed with a key of the client only, which tests/enrollment.rs and operators.rs of the wire tests have
WITH_KEY = {
    ("POST", "/api/v1/enrollments"),
    ("POST", "/api/v1/enrollments/start"),
    ("POST", "/api/v1/enrollments/poll"),
    ("GET", "/api/v1/enrollments/{user_code}"),
    ("POST", "/api/v1/enrollments/{user_code}/accept"),
    ("POST", "/api/v1/enrollments/{user_code}/deny"),
    ("POST", "/api/v1/devices/{id}/enrollment/confirm"),
    ("DELETE", "/api/v1/devices/{id}/keys/{thumbprint}"),
    ("GET", "/api/v1/till"),
    ("GET", "/api/v1/till/operators"),
    ("POST", "/api/v1/till/operator"),
    ("DELETE", "/api/v1/till/operator"),
}

# the headers of valid requests; invalid requests and two of each kind have generated ones
HEADERS = {"If-Match": "*", "X-Original-Method": "GET", "X-Original-URI": "/products"}

wire = requests.Session()
number = itertools.count(1)


def login(user, device=None):
    body = {"login": user, "password": PASSWORD} | ({"device": device} if device else {})
    response = wire.post(f"{API}/sessions", json=body, timeout=20)
    assert response.status_code == 201, f"{user}: {response.text}"
    return response.json()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class Actor:
    """A caller with a valid token."""

    def __init__(self, name):
        self.name = name
        self.token = None
        self.statuses = collections.Counter()
        self.refused = collections.Counter()
        self.logins = 0

    def headers(self, own):
        if self.name == "nobody":
            return {}
        if own:
            return bearer(login(f"guinea-{self.name}")["access_token"])
        if self.token is None:
            self.token = login(self.name, TILLS[self.name])["access_token"]
            self.logins += 1
        return bearer(self.token)

    def send(self, case, own):
        """Sends a case. If an earlier case has ended the session, sends it once more in a new one."""
        for _ in range(2):
            response = case.call(base_url=BASE, session=wire, headers=self.headers(own), timeout=20, allow_redirects=False)
            if response.status_code != 401 or own or self.name == "nobody":
                break
            # a call without authentication answers 401 for credentials in its body
            if wire.get(f"{API}/sessions/current", headers=bearer(self.token), timeout=20).status_code == 200:
                break
            self.token = None
        self.statuses[response.status_code] += 1
        if response.status_code == 401:
            self.refused[f"{case.method.upper()} {case.operation.path}"] += 1
        return response


def prepare():
    """Creates the records that the examples name, and the users for calls in separate sessions."""
    admin = bearer(login("admin")["access_token"])
    for role in ("admin", "cashier"):
        user = {"user_name": f"guinea-{role}", "password": PASSWORD, "roles": [role]}
        response = wire.post(f"{API}/users", json=user, headers=admin, timeout=20)
        assert response.status_code in (201, 409), response.text
        # in a known network, a login is not throttled because of failed logins of others
        login(f"guinea-{role}")
    user = {"user_name": "warehouse", "devices": [{"device": "P01", "roles": ["cashier"]}]}
    assert wire.post(f"{API}/users", json=user, headers=admin, timeout=20).status_code in (201, 409)


def restore(actor, admin):
    """Resets the password of a caller who has changed it."""
    listed = wire.get(f"{API}/users", params={"search": f"guinea-{actor.name}"}, headers=admin.headers(False), timeout=20)
    user = listed.json()["items"][0]["id"]
    password = {"password": PASSWORD}
    response = wire.put(f"{API}/users/{user}/password", json=password, headers=admin.headers(False), timeout=20)
    assert response.status_code == 200, response.text


def protected(item):
    """Whether the record is, or belongs to, one of the callers."""
    user = item.get("user")
    owner = user.get("user_name") if isinstance(user, dict) else None
    return bool({item.get("user_name"), item.get("name"), owner} & PROTECTED) or item.get("built_in") is True


class Records:
    """Existing records, for calls with an id in their path."""

    def __init__(self, document):
        self.document = document
        self.guinea = login("guinea-cashier")["session"]["user"]["id"]

    def example(self, method, path):
        if path == "/api/v1/sessions/end":
            return {"user": self.guinea}
        if path.endswith(("/step-up", "/sessions/current/pin")):
            return {"password": PASSWORD}
        operation = self.document["paths"].get(path, {}).get(method.lower(), {})
        for content in (operation.get("requestBody") or {}).get("content", {}).values():
            if "example" in content:
                return self.fresh(json.loads(json.dumps(content["example"])))
        return None

    @staticmethod
    def fresh(body):
        """The example with unused names and existing users."""
        mark = next(number)
        for member in ("user_name", "name", "slug"):
            if isinstance(body.get(member), str):
                body[member] = f"{body[member]}{mark}"
        if isinstance(body.get("email"), str):
            body["email"] = f"mark{mark}@example.com"
        if body.get("device") == "CHECKER":
            body["device"] = "P01"
        if "current_password" in body:
            body["current_password"] = PASSWORD
        if "login" in body:
            body["password"] = PASSWORD
        if "login" in body:
            body.update(login="manager")
            body.pop("tenant", None)
            body.pop("device", None)
        if "refresh_token" in body:
            body["refresh_token"] = login("manager")["refresh_token"]
        return body

    def ticket(self, path, admin):
        """The id of an open ticket, or of a closed one for a refund."""
        tickets = "/api/v1/tickets"
        made = wire.post(f"{BASE}{tickets}", json=self.example("POST", tickets), headers=admin, timeout=20)
        assert made.status_code == 201, made.text
        ticket = made.json()["id"]
        if path.endswith("/refund"):
            payments = self.example("POST", f"{tickets}/{{id}}/close")
            headers = {**admin, "If-Match": "*"}
            closed = wire.post(f"{BASE}{tickets}/{ticket}/close", json=payments, headers=headers, timeout=20)
            assert closed.status_code == 200, closed.text
        return ticket

    def one(self, method, path, admin):
        """Values for the parameters of a path; creates a record if none exists."""
        collection, name = path.split("/{")[0], path.split("{")[1].split("}")[0]
        if path == "/docs/{file}":
            return {name: "index.html"}
        if path == "/api/v1/revocations/{position}":
            # every number is a position
            return {name: "1"}
        if path == "/api/v1/audit/verifications/{id}":
            started = wire.post(f"{BASE}{collection}", headers=admin, timeout=20)
            return {name: started.json()["id"]} if started.status_code in (200, 202) else {}
        if collection == "/api/v1/tickets":
            return {name: self.ticket(path, admin)}
        if path.endswith("/enrollment") and method != "POST":
            # a new device with a started enrollment
            made = wire.post(f"{BASE}{collection}", json=self.example("POST", collection), headers=admin, timeout=20)
            if made.status_code != 201:
                return {}
            device = made.json()["id"]
            wire.post(f"{BASE}{collection}/{device}/enrollment", json={}, headers=admin, timeout=20)
            return {name: device}
        if method == "DELETE" and collection == "/api/v1/stores":
            # a new store: one that has devices is not closed
            made = wire.post(f"{BASE}{collection}", json=self.example("POST", collection), headers=admin, timeout=20)
            return {name: made.json()["id"]} if made.status_code == 201 else {}
        if path.endswith("/email-verification"):
            # a user with an address that is not verified and to which nothing was mailed yet
            made = wire.post(f"{BASE}{collection}", json=self.example("POST", collection), headers=admin, timeout=20)
            return {name: made.json()["id"]} if made.status_code == 201 else {}
        for _ in range(2):
            response = wire.get(f"{BASE}{collection}", params={"limit": 200}, headers=admin, timeout=20)
            items = response.json().get("items", []) if response.status_code == 200 else []
            # the callers may be read
            found = [item for item in items if method == "GET" or not protected(item)]
            found = [item for item in found if item.get("status") not in ("deleted", "revoked")]
            if found:
                record = found[next(number) % len(found)]
                return {name: str(record.get(name) or record["id"])}
            if collection.endswith("/sessions"):
                login("guinea-cashier")
                return {name: login("manager")["session"]["id"]}
            body = self.example("POST", collection)
            if body is None:
                return {}
            wire.post(f"{BASE}{collection}", json=body, headers=admin, timeout=20)
        return {}


def main():
    prepare()
    document = wire.get(f"{BASE}/openapi.json", timeout=20).json()
    schema = schemathesis.openapi.from_dict(document)
    records = Records(document)
    actors = [Actor(name) for name in BUDGET]
    admin = actors[0]
    failures, good = {}, collections.defaultdict(set)

    def send_case(actor, case, own):
        response = actor.send(case, own)
        call = f"{case.method.upper()} {case.operation.path}"
        if response.status_code < 400:
            good[actor.name].add(call)
            if call == "PUT /api/v1/sessions/current/password":
                restore(actor, admin)
        try:
            case.validate_response(response, checks=CHECKS)
        except (FailureGroup, AssertionError) as failure:
            for each in getattr(failure, "exceptions", [failure]):
                key = (call, response.status_code, getattr(each, "title", type(each).__name__))
                sent = repr(case.body)[:300]
                failures.setdefault(key, f"{actor.name}: {each}\n  query {case.query} headers {case.headers} body {sent}\n  {response.text[:400]}")

    for result in schema.get_all_operations():
        operation = result.ok()
        method, path = operation.method.upper(), operation.path
        if (method, path) in ENDLESS:
            continue
        own = (method, path) in OWN
        for actor in actors:
            named = records.one(method, path, admin.headers(False)) if "{" in path else {}
            sent = {name: value for name, value in HEADERS.items() if any(each.name == name for each in operation.headers)}
            body = records.example(method, path)
            if_body = {} if body is None else {"body": body}
            shown = operation.as_strategy(path_parameters=named, headers=sent, **if_body)
            positive, negative = BUDGET[actor.name]
            rounds = [(shown, 2)]
            rounds += [(operation.as_strategy(path_parameters=named, headers=sent), positive)]
            rounds += [(operation.as_strategy(), 2)]
            rounds += [(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), negative)]
            for strategy, count in rounds:
                run(strategy, count, lambda case, actor=actor: send_case(actor, case, own))

    for actor in actors:
        print(actor.name, dict(sorted(actor.statuses.items())), f"logged in {actor.logins} times")
        print(actor.name, "succeeded:", len(good[actor.name]), "of", sum(1 for _ in schema.get_all_operations()))
    refused = {actor.name: dict(actor.refused.most_common(8)) for actor in actors}
    print("401 most often:", refused)
    for (call, status, title), detail in sorted(failures.items()):
        print(f"\n== {call} {status}: {title}\n{detail}")
    calls = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    calls -= {f"{method} {path}" for method, path in ENDLESS | WITH_KEY}
    never = sorted(calls - good["admin"])
    print("\nnever succeeded for an admin:", never)
    return failures, actors, good, never


def run(strategy, count, call):
    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def each(case):
        call(case)

    try:
        each()
    except Exception as error:
        # a call without anything that could be invalid has no invalid requests
        if type(error).__name__ not in ("Unsatisfiable", "SkipTest"):
            raise


def share(actor):
    """The share of the requests of a caller that succeeded."""
    return succeeded(actor) / sum(actor.statuses.values())


def succeeded(actor):
    """The number of the requests of a caller that succeeded."""
    return sum(count for status, count in actor.statuses.items() if status < 400)


if __name__ == "__main__":
    failures, actors, good, never = main()
    # a caller whose calls are all answered 401 would find nothing
    for actor, least in zip(actors, (0.3, 0.12)):
        assert share(actor) >= least, f"{actor.name}: only {share(actor):.0%} of the requests succeeded"
    # without authentication, only the calls succeed that need none, however many others there are
    assert succeeded(actors[2]) >= 20, f"only {succeeded(actors[2])} requests without authentication succeeded"
    assert not never, f"these calls never succeeded for an admin: {never}"
    sys.exit(1 if failures else 0)
