"""Taking everything of a deployment away from the machine, whatever its settings once were."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

from argosy.providers.base import Compute
from argosy.providers.local import cgroups, namespaces, parts, publishing
from argosy.providers.local.copies import ImageCopies
from argosy.providers.local.directories import DirectoryVolumes
from argosy.providers.local.faults import translated
from argosy.providers.local.layout import Layout
from argosy.providers.local.pool import Pool
from argosy.providers.local.templates import ImageTemplates
from argosy.providers.local.volumes import ImageVolumes
from argosy.settings import Provider, Settings


def teardown(settings: Settings) -> None:
    """Guests, networks, addresses, volumes, templates. Raises CloudBusy for what is still in use; may be repeated."""
    layout = Layout(settings.state.resolve())
    compute = _compute(settings)
    for name in compute.owned():
        compute.delete(name)
    with translated(f"what {layout.state} made cannot be taken away"):
        publishing.sweep(layout)
        if os.geteuid() == 0:
            namespaces.sweep(layout)
            cgroups.here(layout.cgroup).teardown()
            pool = Pool(layout)
            ImageVolumes(layout, pool, ImageTemplates(layout, pool), ImageCopies(layout, pool)).teardown()
            cgroups.here(layout.cgroup).teardown()
        DirectoryVolumes(layout).teardown()
        for directory in (layout.addresses, layout.servers, layout.users, layout.guests):
            shutil.rmtree(directory, ignore_errors=True)


def _compute(settings: Settings) -> Compute:
    """To delete guests with: on which network they are, and where public, does not matter any more."""
    plainly = replace(settings, provider=replace(Provider(), level=settings.provider.level))
    root = os.geteuid() == 0 and settings.provider.level != "user"
    return parts.as_root(plainly).compute if root else parts.as_user(plainly).compute
