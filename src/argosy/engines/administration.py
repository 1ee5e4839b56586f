"""What an administrator's session with a server can end in, said in our own errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from argosy import errors


@contextmanager
def translated(title: str, refusal: type[Exception], comes_or_goes: Callable[[Exception], bool]) -> Iterator[None]:
    """Raises Unavailable while the server comes or goes, as a killed one does: to ask again is enough, and safe, since
    whatever is done in a session may be repeated. GuestFailed with the server's own words when it refuses or does not
    answer, BadRequest for what it cannot be asked.
    """
    try:
        yield
    except TimeoutError as error:
        raise errors.GuestFailed(f"{title}: {error}") from error
    except OSError as error:
        raise errors.Unavailable(f"{title}: {error}") from error
    except refusal as error:
        kind = errors.Unavailable if comes_or_goes(error) else errors.GuestFailed
        raise kind(f"{title}: {error}") from error
    except ValueError as error:
        raise errors.BadRequest(str(error)) from error
