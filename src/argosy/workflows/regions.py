"""Stores of other regions, where a backup may lie that was registered: who may name what there, and who is away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from argosy import errors
from argosy.model.caller import Caller
from argosy.settings import BadSetting, Settings
from argosy.stores import deployment
from argosy.stores.base import NoSuchObject


class RegionUnusable(errors.Unavailable):
    """another region's store cannot be used: its operator must look at the settings"""


def open_to(settings: Settings, caller: Caller, project: str) -> list[str]:
    """Regions where the caller may name what is of a project of that id, this deployment (empty) first."""
    known = ("", *settings.regions)
    return [each for each in known if caller.is_admin or _ours(settings, each, project) == caller.project_id]


def holding(settings: Settings, key: str, regions: Sequence[str]) -> str:
    """The first of the regions that has the object; those behind it are not waited for. Raises NotFound; where one
    could not be asked, why.
    """
    failure: errors.ArgosyError | None = None
    for region, has in _asked(settings, key, regions).items():
        try:
            if has.result():
                return region
        except (errors.Unavailable, errors.Broken) as error:
            failure = failure or error
    others = " or ".join(filter(None, regions))
    beside = f", nor in that of region {others}" if others else ""
    raise failure or errors.NotFound(f"it is not in the store any more{beside}")


def _asked(settings: Settings, key: str, regions: Sequence[str]) -> Mapping[str, Future[bool]]:
    """Side by side: several that are away are waited for as long as one."""
    threads = ThreadPoolExecutor(len(regions), thread_name_prefix="region")
    answers = {region: threads.submit(_has, settings, key, region) for region in regions}
    threads.shutdown(wait=False)
    return answers


def _has(settings: Settings, key: str, region: str) -> bool:
    try:
        with naming(region):
            deployment.store(settings, region).stat(key)
    except NoSuchObject:
        return False
    return True


@contextmanager
def naming(region: str) -> Iterator[None]:
    """What a region's store could not do says which it is. Raises RegionUnusable for what an operator must mend."""
    try:
        yield
    except errors.Unavailable as error:
        if not region:
            raise
        raise type(error)(f"region {region}: {error.message}") from error
    except errors.Broken as error:
        if not region:
            raise
        raise RegionUnusable(
            f"region {region} cannot be used: an operator must look at [regions.{region}] of the settings"
        ) from error


def _ours(settings: Settings, region: str, project: str) -> str | None:
    """Which of our projects has the backups of that one."""
    try:
        told = settings.region(region).projects if region else {}
    except BadSetting:  # told to whoever looks there
        told = {}
    return told.get(project) if told else project
