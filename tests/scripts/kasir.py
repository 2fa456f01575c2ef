"""A script for POS Kasir as its users write them: `requests`, a session with cookies, and a bearer token.

Its arguments are the address of the server and a password. It prints the tokens that it receives, one per line. Any unexpected
response ends it with an error.
"""

import sys

import requests

ADDRESS, PASSWORD = sys.argv[1:]
BASE = ADDRESS + "/kasir/api/v1"
TIME_OUT = 20


def expect(response, status, message):
    body = response.json()
    assert (response.status_code, body["message"]) == (status, message), (response.status_code, body)
    return body.get("data")


class Script:
    """A client with a bearer token and cookies, which the library stores."""

    def __init__(self):
        self.session = requests.Session()
        self.refresh_token = None

    def call(self, method, path, **more):
        return self.session.request(method, BASE + path, timeout=TIME_OUT, **more)

    def store(self, data):
        self.session.headers["Authorization"] = "Bearer " + data["Token"]
        self.refresh_token = data["refresh_token"]
        print(data["Token"], data["refresh_token"], sep="\n")

    def log_in(self, email):
        response = self.call("POST", "/auth/login", json={"email": email, "password": PASSWORD})
        data = expect(response, 200, "Login successful")
        assert self.session.cookies["access_token"] == data["Token"]
        assert self.session.cookies["refresh_token"] == data["refresh_token"]
        self.store(data)
        return data["profile"]


def main():
    script = Script()
    profile = script.log_in("admin@example.com")
    assert expect(script.call("GET", "/auth/me"), 200, "Success") == profile
    # the header has precedence: a valid cookie does not make up for an invalid header
    wrong = script.call("GET", "/auth/me", headers={"Authorization": "Bearer garbage"})
    expect(wrong, 401, "Invalid or expired token")
    # in the body, in a cookie alone without a body, and in the header alone
    body = {"refresh_token": script.refresh_token}
    script.store(expect(script.call("POST", "/auth/refresh", json=body), 200, "Token refreshed successfully"))
    expect(script.call("GET", "/auth/me"), 200, "Success")
    bare = requests.Session()
    bare.cookies.update(script.session.cookies)
    response = bare.post(BASE + "/auth/refresh", timeout=TIME_OUT)
    script.store(expect(response, 200, "Token refreshed successfully"))
    expect(script.call("GET", "/auth/me"), 200, "Success")
    header = {"Authorization": "Bearer " + script.refresh_token}
    response = requests.post(BASE + "/auth/refresh", headers=header, timeout=TIME_OUT)
    script.store(expect(response, 200, "Token refreshed successfully"))
    # an access token is not a refresh token, wherever it is sent
    header = {"Authorization": script.session.headers["Authorization"]}
    expect(requests.post(BASE + "/auth/refresh", headers=header, timeout=TIME_OUT), 401, "Refresh token missing")

    # users
    nina = {"username": "nina", "email": "nina@example.com", "password": PASSWORD, "role": "manager"}
    added = expect(script.call("POST", "/users", json=nina), 201, "User created successfully")
    again = script.call("POST", "/users", json=nina)
    expect(again, 409, "Username already exists")
    assert isinstance(again.json()["error"], str)
    found = expect(script.call("GET", "/users", params={"search": "nina@", "limit": 5}), 200, "Users retrieved successfully")
    assert found["users"] == [added] and found["pagination"]["total_data"] == 1, found
    path = "/users/" + added["id"]
    changed = expect(script.call("PUT", path, json={"username": "Nina Žofia"}), 200, "User updated successfully")
    assert changed["username"] == "Nina Žofia" and changed["role"] == "manager"
    expect(script.call("POST", path + "/toggle-status"), 200, "User status toggled successfully")
    login = {"email": "nina@example.com", "password": PASSWORD}
    expect(requests.post(BASE + "/auth/login", json=login, timeout=TIME_OUT), 401, "Invalid username or password")
    expect(script.call("DELETE", path), 200, "User deleted successfully")
    expect(script.call("GET", path), 404, "User not found")

    # activity log
    logs = expect(script.call("GET", "/activity-logs", params={"search": "nina", "limit": 100}), 200, "Success")
    kinds = [log["action_type"] for log in logs["logs"]]
    assert "CREATE" in kinds and "UPDATE" in kinds and logs["total_items"] == len(kinds), logs

    # logout
    expect(script.call("POST", "/auth/logout"), 200, "Successfully logged out")
    assert not script.session.cookies, script.session.cookies
    expect(script.call("GET", "/auth/me"), 401, "Invalid or expired token")
    body = {"refresh_token": script.refresh_token}
    expect(script.call("POST", "/auth/refresh", json=body), 401, "Invalid or expired session")


main()
