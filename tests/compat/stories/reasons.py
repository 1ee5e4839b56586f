"""Why a command cannot do what it says, as its row tells it."""

BACKUPS = "not yet: backups come in a later release; the answer says so"
REPLICAS = "not yet: replicas come in a later release; the answer says that the instance has none"
CLUSTERS = "not yet: no engine has clusters in this release; the answer says so"
SWIFT = (
    "the client reads the text from Swift itself, and stumbles over saying so: `argosy db logs` shows it without Swift"
)
MISTRAL = "the client talks to Mistral itself, without any part of ours"
REMOVED = "Trove removed it itself (404), long ago"
BROKEN = "the client calls something that python-troveclient does not have any more"
SAME = "refused, as Trove does: it has that flavor already"
CRASHES = "the client itself reads an argument that the command lacks: `openstack database log set --disable` does it"
