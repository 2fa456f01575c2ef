"""A script of POS Kasir, as its users write them: `requests`, a session that keeps cookies, and a bearer where it has one.

Called with the address of the server and a password; prints the tokens that it was given, one in a line. Any surprise ends it
with an error.
"""

import sys

import requests

ADDRESS, PASSWORD = sys.argv[1:]
BASE = ADDRESS + "/kasir/api/v1"
TIME_OUT = 20


def told(answer, status, message):
    body = answer.json()
    assert (answer.status_code, body["message"]) == (status, message), (answer.status_code, body)
    return body.get("data")


class Script:
    """Bearer and cookies together: the library keeps what it is given."""

    def __init__(self):
        self.session = requests.Session()
        self.refresh_token = None

    def call(self, method, path, **more):
        return self.session.request(method, BASE + path, timeout=TIME_OUT, **more)

    def keep(self, data):
        self.session.headers["Authorization"] = "Bearer " + data["Token"]
        self.refresh_token = data["refresh_token"]
        print(data["Token"], data["refresh_token"], sep="\n")

    def log_in(self, email):
        answer = self.call("POST", "/auth/login", json={"email": email, "password": PASSWORD})
        data = told(answer, 200, "Login successful")
        assert self.session.cookies["access_token"] == data["Token"]
        assert self.session.cookies["refresh_token"] == data["refresh_token"]
        self.keep(data)
        return data["profile"]


def main():
    script = Script()
    profile = script.log_in("admin@example.com")
    assert told(script.call("GET", "/auth/me"), 200, "Success") == profile
    # the header decides: a wrong one is not saved by a cookie
    wrong = script.call("GET", "/auth/me", headers={"Authorization": "Bearer garbage"})
    told(wrong, 401, "Invalid or expired token")
    # by body, by cookie alone without any body, and by header alone
    body = {"refresh_token": script.refresh_token}
    script.keep(told(script.call("POST", "/auth/refresh", json=body), 200, "Token refreshed successfully"))
    told(script.call("GET", "/auth/me"), 200, "Success")
    bare = requests.Session()
    bare.cookies.update(script.session.cookies)
    answer = bare.post(BASE + "/auth/refresh", timeout=TIME_OUT)
    script.keep(told(answer, 200, "Token refreshed successfully"))
    told(script.call("GET", "/auth/me"), 200, "Success")
    header = {"Authorization": "Bearer " + script.refresh_token}
    answer = requests.post(BASE + "/auth/refresh", headers=header, timeout=TIME_OUT)
    script.keep(told(answer, 200, "Token refreshed successfully"))
    # an access token is no refresh credential, wherever it stands
    header = {"Authorization": script.session.headers["Authorization"]}
    told(requests.post(BASE + "/auth/refresh", headers=header, timeout=TIME_OUT), 401, "Refresh token missing")

    # people
    nina = {"username": "nina", "email": "nina@example.com", "password": PASSWORD, "role": "manager"}
    added = told(script.call("POST", "/users", json=nina), 201, "User created successfully")
    again = script.call("POST", "/users", json=nina)
    told(again, 409, "Username already exists")
    assert isinstance(again.json()["error"], str)
    found = told(script.call("GET", "/users", params={"search": "nina@", "limit": 5}), 200, "Users retrieved successfully")
    assert found["users"] == [added] and found["pagination"]["total_data"] == 1, found
    path = "/users/" + added["id"]
    changed = told(script.call("PUT", path, json={"username": "Nina Žofia"}), 200, "User updated successfully")
    assert changed["username"] == "Nina Žofia" and changed["role"] == "manager"
    told(script.call("POST", path + "/toggle-status"), 200, "User status toggled successfully")
    login = {"email": "nina@example.com", "password": PASSWORD}
    told(requests.post(BASE + "/auth/login", json=login, timeout=TIME_OUT), 401, "Invalid username or password")
    told(script.call("DELETE", path), 200, "User deleted successfully")
    told(script.call("GET", path), 404, "User not found")

    # what was done
    logs = told(script.call("GET", "/activity-logs", params={"search": "nina", "limit": 100}), 200, "Success")
    kinds = [log["action_type"] for log in logs["logs"]]
    assert "CREATE" in kinds and "UPDATE" in kinds and logs["total_items"] == len(kinds), logs

    # over
    told(script.call("POST", "/auth/logout"), 200, "Successfully logged out")
    assert not script.session.cookies, script.session.cookies
    told(script.call("GET", "/auth/me"), 401, "Invalid or expired token")
    body = {"refresh_token": script.refresh_token}
    told(script.call("POST", "/auth/refresh", json=body), 401, "Invalid or expired session")


main()
