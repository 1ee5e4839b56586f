"""Run by the clients' own Python: an instance's life by openstacksdk. Says what it saw, as JSON."""

import json
import sys
import time

import openstack

name, engine = sys.argv[1:]
database = openstack.connect().database
made = database.create_instance(name=name, flavor={"id": "1"}, volume={"size": 1}, datastore={"type": engine})
seen = [made.status]
end = time.monotonic() + 90
while (shown := database.get_instance(made.id)).status not in ("ACTIVE", "ERROR") and time.monotonic() < end:
    time.sleep(0.2)
seen.append(shown.status)
listed = [each.id for each in database.instances()]
found = database.find_instance(name)
database.update_instance(made, name=f"{name}-renamed")
renamed = database.get_instance(made.id).name
database.delete_instance(made.id)
while database.find_instance(made.id) is not None and time.monotonic() < end:
    time.sleep(0.2)
gone = database.find_instance(made.id) is None
told = {"seen": seen, "listed": made.id in listed, "found": found.id == made.id, "renamed": renamed, "gone": gone}
json.dump(told, sys.stdout)
