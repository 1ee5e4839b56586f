"""Run by the clients' own Python: the flavors as openstacksdk sees them."""

import json
import sys

import openstack

database = openstack.connect().database
listed = {each.name: each.ram for each in database.flavors()}
json.dump({"listed": listed, "one": database.get_flavor("1").name, "found": database.find_flavor("2").name}, sys.stdout)
