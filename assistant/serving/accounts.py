"""Who may come in: names and passwords for the page, a token for programs, both from the environment alone."""

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from assistant import UserError

USERS, TOKEN = "ANOMALY_ASSISTANT_USERS", "ANOMALY_ASSISTANT_TOKEN"
SHORTEST = 8  # characters of a password or token


@dataclass(frozen=True)
class Accounts:
    """`users` are passwords by name; `token` opens the API, empty where nothing does. Neither is ever shown."""

    users: Mapping[str, str] = field(repr=False)
    token: str = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Accounts":
        """From `ANOMALY_ASSISTANT_USERS`, "name:password,name:password", and `ANOMALY_ASSISTANT_TOKEN`.

        Raises:
            UserError: there is neither, or one is malformed or too short.
        """
        users = {}
        for entry in filter(None, environment.get(USERS, "").split(",")):
            name, colon, password = entry.partition(":")
            if not colon or not name.strip() or len(password) < SHORTEST:
                raise UserError(
                    f"{USERS} has an entry that is not name:password, with {SHORTEST} characters or more",
                    "write name:password,name:password; a password holds no comma",
                )
            users[name.strip()] = password
        token = environment.get(TOKEN, "").strip()
        if token and len(token) < SHORTEST:
            raise UserError(f"{TOKEN} is too short", f"give {SHORTEST} characters or more")
        if not users and not token:
            raise UserError(f"--auth needs {USERS} or {TOKEN} in the environment", f"set {USERS}=name:password")
        return cls(users, token)

    def admits(self, name: str, password: str) -> bool:
        """Is this the user's password? It takes as long for a name that does not exist."""
        known = self.users.get(name)
        same = hmac.compare_digest(password.encode(), (known if known is not None else "").encode())
        return same and known is not None

    def opens(self, token: str) -> bool:
        """Is this the token of the API?"""
        return hmac.compare_digest(token.encode(), self.token.encode()) and bool(self.token)
