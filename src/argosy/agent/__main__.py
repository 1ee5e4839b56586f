"""`python -m argosy.agent GUESTDIR`"""

import sys

from argosy.agent.main import entry

sys.exit(entry())
