"""The tree of errors, sorted by who must act.

    ArgosyError
    ├── Rejected            the caller must change something          -> 4xx (501), the run fails
    │   ├── BadRequest      400
    │   ├── Unauthorized    401
    │   ├── Forbidden       403
    │   ├── NotFound        404
    │   ├── NotAcceptable   406
    │   ├── Conflict        409
    │   ├── TooLarge        413   (request body)
    │   ├── OverQuota       413
    │   ├── RateLimited     413, with Retry-After
    │   ├── UnsupportedMedia 415
    │   ├── Busy            422
    │   ├── Unprocessable   422
    │   └── NotSupported    501
    ├── Unavailable         nothing is wrong, ask again later         -> 503, the step is retried
    │   ├── GuestSilent
    │   └── CloudBusy
    └── Broken              an operator must look                     -> 500, the run fails
        ├── GuestFailed
        └── CloudFailed

A message says what happened, why, and after a colon or dash what would help: lower case, no full stop,
naming the thing. An exception's docstring is its default message.
"""

from __future__ import annotations


class ArgosyError(Exception):
    """something went wrong"""

    status: int = 500
    key: str = "instanceFault"
    """The single top-level key of the REST error body (Trove's names)."""

    def __init__(self, message: str = "", *, details: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.details = details

    @property
    def message(self) -> str:
        return str(self.args[0])


class Rejected(ArgosyError):
    """the request cannot be granted"""

    status, key = 400, "badRequest"


class BadRequest(Rejected):
    """the request is not well formed"""


class Unauthorized(Rejected):
    """the request needs a valid token: log in again"""

    status, key = 401, "unauthorized"


class Forbidden(Rejected):
    """you may not do this"""

    status, key = 403, "forbidden"


class NotFound(Rejected):
    """there is no such thing"""

    status, key = 404, "itemNotFound"


class NotAcceptable(Rejected):
    """no representation that the Accept header allows"""

    status, key = 406, "notAcceptable"


class Conflict(Rejected):
    """this contradicts what is there"""

    status, key = 409, "conflict"


class TooLarge(Rejected):
    """the request body is too large"""

    status, key = 413, "overLimit"


class OverQuota(Rejected):
    """the project's quota does not allow this"""

    status, key = 413, "overLimit"


class RateLimited(Rejected):
    """This request was rate-limited."""

    status, key = 413, "overLimit"

    def __init__(self, message: str = "", *, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds until the next request is granted."""


class UnsupportedMedia(Rejected):
    """the Content-Type of the request is not spoken here: use application/json"""

    status, key = 415, "badMediaType"


class Busy(Rejected):
    """the object is busy with another operation: wait until it has ended"""

    status, key = 422, "unprocessableEntity"


class Unprocessable(Rejected):
    """the values cannot be used"""

    status, key = 422, "unprocessableEntity"


class NotSupported(Rejected):
    """this datastore does not support the operation"""

    status, key = 501, "notImplemented"


class Unavailable(ArgosyError):
    """not available just now: ask again later"""

    status, key = 503, "serviceUnavailable"


class GuestSilent(Unavailable):
    """the guest does not answer"""


class CloudBusy(Unavailable):
    """the provider cannot do this just now"""


class Broken(ArgosyError):
    """an internal error: an operator must look"""

    status, key = 500, "instanceFault"


class GuestFailed(Broken):
    """the guest could not do what it was asked"""


class CloudFailed(Broken):
    """the provider could not do what it was asked"""
