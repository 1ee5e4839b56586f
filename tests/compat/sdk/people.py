"""Run by the clients' own Python: projects and users by openstacksdk, as an admin."""

import json
import sys

import openstack

identity = openstack.connect().identity
project = identity.create_project(name="sdk-project", description="d")
user = identity.create_user(name="sdk-user", password="secret", default_project_id=project.id)
role = identity.find_role("member")
identity.assign_project_role_to_user(project, user, role)
given = identity.validate_user_has_project_role(project, user, role)
mine = [each.name for each in identity.user_projects(user)]
identity.delete_user(user)
identity.delete_project(project)
json.dump({"given": given, "mine": mine, "gone": identity.find_project("sdk-project") is None}, sys.stdout)
