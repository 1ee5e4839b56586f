"""Why a command cannot do what it says, as its row tells it."""

REPLICAS = "not yet: replicas come in a later release; the answer is 400, that the instance is or has none"
CLUSTERS = "not yet: no engine has clusters in this release; the answer is 501 and says so"
NO_CLUSTER = "not yet: no engine has clusters in this release; the client is told that there is none of this name (404)"
SWIFT = (
    "the client reads the text from Swift itself, and stumbles over saying so: `argosy db logs` shows it without Swift"
)
MISTRAL = "the client talks to Mistral itself, without any part of ours"
REMOVED = "Trove itself removed it in 2019; the answer is 404"
NEVER = "Trove itself never had it; the answer is 404"
BROKEN = "the client calls something that python-troveclient does not have any more"
SAME = "refused, as Trove does: it has that flavor already"
CRASHES = "the client itself reads an argument that the command lacks: `openstack database log set --disable` does it"
