"""Every operation there is."""

from __future__ import annotations

from argosy.durable.workflow import Workflow
from argosy.workflows.build_template import build_template
from argosy.workflows.create_instance import create_instance
from argosy.workflows.delete_instance import delete_instance
from argosy.workflows.look_around import look_around
from argosy.workflows.renew_certificate import renew_certificate, renew_certificates
from argosy.workflows.reset_master import reset_master
from argosy.workflows.restart_instance import restart_instance
from argosy.workflows.revive_server import revive_server
from argosy.workflows.watch import sweep, watch
from argosy.workflows.world import World

WORKFLOWS: dict[str, Workflow[World]] = {
    workflow.name: workflow
    for workflow in (
        build_template,
        create_instance,
        delete_instance,
        look_around,
        renew_certificate,
        renew_certificates,
        reset_master,
        restart_instance,
        revive_server,
        sweep,
        watch,
    )
}
