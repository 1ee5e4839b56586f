"""Every operation there is."""

from __future__ import annotations

from argosy.durable.workflow import Workflow
from argosy.workflows.backup_schedules import prune_backups, run_schedules
from argosy.workflows.begin_archive import begin_archive, end_archive
from argosy.workflows.bring_back_instance import bring_back_instance
from argosy.workflows.build_template import build_template
from argosy.workflows.change_access import change_access
from argosy.workflows.change_accounts import OPERATIONS
from argosy.workflows.change_log import change_log
from argosy.workflows.change_modules import change_modules
from argosy.workflows.change_tls import change_tls
from argosy.workflows.configure_instance import configure_instance
from argosy.workflows.copy_excerpt import copy_excerpt
from argosy.workflows.create_backup import create_backup
from argosy.workflows.create_instance import create_instance
from argosy.workflows.delete_backup import delete_backup, retry_deletions
from argosy.workflows.delete_instance import delete_instance
from argosy.workflows.deliver_webhook import deliver_webhook
from argosy.workflows.drill_backup import drill_backup
from argosy.workflows.end_peeks import end_peeks
from argosy.workflows.end_quarantines import end_quarantines
from argosy.workflows.expire_archives import expire_archives
from argosy.workflows.expire_logs import expire_logs
from argosy.workflows.forget import forget
from argosy.workflows.look_around import look_around
from argosy.workflows.quarantine_instance import quarantine_instance
from argosy.workflows.reapply_module import reapply_module
from argosy.workflows.reboot_server import reboot_server
from argosy.workflows.rebuild_instance import rebuild_instance
from argosy.workflows.renew_agents import renew_agent, renew_agents
from argosy.workflows.renew_certificate import renew_certificate, renew_certificates
from argosy.workflows.reset_master import reset_master
from argosy.workflows.reset_status import reset_status
from argosy.workflows.resize_flavor import resize_flavor
from argosy.workflows.resize_volume import resize_volume
from argosy.workflows.restart_instance import restart_instance
from argosy.workflows.restore_in_place import restore_in_place
from argosy.workflows.revive_server import revive_server
from argosy.workflows.rotate_authority import rotate_authority
from argosy.workflows.run_drills import run_drills
from argosy.workflows.self_backup import self_backup, self_backups
from argosy.workflows.start_instance import start_instance
from argosy.workflows.stop_instance import stop_instance
from argosy.workflows.undo_change import expire_undos, undo_change
from argosy.workflows.upgrade_instance import upgrade_instance
from argosy.workflows.watch import sweep, watch
from argosy.workflows.watch_archives import watch_archives
from argosy.workflows.watch_room import watch_room
from argosy.workflows.watch_store import watch_store
from argosy.workflows.world import World

WORKFLOWS: dict[str, Workflow[World]] = {
    workflow.name: workflow
    for workflow in (
        *OPERATIONS,
        begin_archive,
        copy_excerpt,
        end_archive,
        end_peeks,
        expire_archives,
        watch_archives,
        bring_back_instance,
        drill_backup,
        end_quarantines,
        prune_backups,
        quarantine_instance,
        run_drills,
        run_schedules,
        build_template,
        change_access,
        change_log,
        change_modules,
        change_tls,
        configure_instance,
        create_backup,
        create_instance,
        delete_backup,
        delete_instance,
        expire_logs,
        expire_undos,
        deliver_webhook,
        forget,
        look_around,
        renew_agent,
        renew_agents,
        renew_certificate,
        renew_certificates,
        reboot_server,
        reapply_module,
        rebuild_instance,
        reset_master,
        reset_status,
        resize_flavor,
        resize_volume,
        restart_instance,
        retry_deletions,
        revive_server,
        restore_in_place,
        rotate_authority,
        self_backup,
        self_backups,
        start_instance,
        stop_instance,
        sweep,
        undo_change,
        upgrade_instance,
        watch,
        watch_room,
        watch_store,
    )
}
