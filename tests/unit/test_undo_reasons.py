"""What somebody reads who looks for what to go back to."""

from argosy.workflows import restore_in_place, undo_change


def test_back_and_forth_takes_no_more_words_each_time() -> None:
    done = "restored from backup nightly"
    undone = undo_change._reason(done)
    again = undo_change._reason(undone)
    assert (undone, again) == (f"undone: {done}", f"again: {done}")
    assert undo_change._reason(again) == undone


def test_a_restore_to_a_moment_tells_it() -> None:
    told = {"name": "nightly", "target": {"time": 1_700_000_000.0}}
    assert restore_in_place._reason(told) == "restored from backup nightly, then on to 2023-11-14T22:13:20"
    assert restore_in_place._reason({"name": "nightly", "target": None}) == "restored from backup nightly"
