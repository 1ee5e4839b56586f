# What the scripts here share. Sourced with `set -eu` on; $ROOT is the checkout.

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# Runs a command as root: as we are, or by sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

can_be_root() {
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

# Whether every other user may enter a directory: all the way from the top.
open_to_all() {
    directory=$(realpath "$1")
    while [ "$directory" != / ]; do
        case $(stat -c %a "$directory") in *[1357]) ;; *) return 1 ;; esac
        directory=$(dirname "$directory")
    done
}

# Where Argosy's Python lives. As root, the processes drop to the user `argosy` and guests to users of their own, and
# all of them must be able to read it.
venv_path() {
    if [ "$(id -u)" != 0 ] || open_to_all "$ROOT"; then printf '%s/.venv' "$ROOT"; else printf /opt/argosy/venv; fi
}
