"""The journal against a model, with crashes between any two of its steps, and against damage and full disks."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge_agent.daemon.journal import Entry, EvidenceItem, Journal, JournalDamagedError, JournalUnwritableError
from edge_agent.daemon.salvage import SKIP, open_journal, set_aside
from edge_agent.events.evidence import sha256

ENCODED = b'{"id":"%d","data":{}'


def entry(number: int, key: int | None = None, evidence: tuple[EvidenceItem, ...] = ()) -> Entry:
    return Entry("blo/t", ENCODED % number, None if key is None else b"k%d" % key, evidence)


def numbers(journal: Journal) -> list[int]:
    return [int(json.loads(row.body)["id"]) for row in journal.each(1)]


class JournalModel(RuleBasedStateMachine):
    """A dictionary that never crashes, beside the real journal, which does: its files are copied away in mid-operation,
    as the page cache would hold them after ``kill -9``, and opened again."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="journal-"))
        self.generation = 0
        self.count = 0
        self.durable: dict[int, int] = {}  # sequence -> number, of everything whose append returned
        self.keys: dict[int, int] = {}
        self.maybe: list[int] = []  # numbers whose append was cut off by a crash: present or absent, both are right
        self.delivered = 0
        self.purged = 0
        self.journal, _ = open_journal(self.path)

    @property
    def path(self) -> Path:
        return self.folder / f"{self.generation}" / "journal.db"

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "generation":
            self.path.parent.mkdir(exist_ok=True)

    def crash_during(self, action, step: int) -> bool:
        """Run the action; copy the files away when its SQL statement number ``step`` begins; go on from the copy."""
        copy = self.folder / f"{self.generation + 1}"
        seen = 0

        def trace(_statement: str) -> None:
            nonlocal seen
            if seen == step:
                shutil.copytree(self.path.parent, copy)
            seen += 1

        self.journal._db.set_trace_callback(trace)
        action()
        self.journal._db.set_trace_callback(None)
        if not copy.exists():
            return False
        self.journal.close()
        self.generation += 1
        self.journal, salvage = open_journal(self.path)
        assert salvage is None, "a crash is not damage"
        return True

    @rule(keys=st.lists(st.none() | st.integers(0, 5), min_size=1, max_size=5), step=st.integers(0, 20))
    def append(self, keys: list[int | None], step: int) -> None:
        batch = []
        for key in keys:
            self.count += 1
            batch.append((self.count, key))
        result: list[int] = []
        crashed = self.crash_during(
            lambda: result.extend(self.journal.append([entry(number, key) for number, key in batch])), step
        )
        if crashed:
            self.maybe += [number for number, _ in batch]
            self.adopt()
            return
        for (number, key), sequence in zip(batch, result, strict=True):
            if key in self.keys:
                assert sequence == self.keys[key], "the same observation got a second event"
                continue
            self.durable[sequence] = number
            if key is not None:
                self.keys[key] = sequence

    def adopt(self) -> None:
        """After a crash: what is there of the cut-off batch belongs to the model from now on."""
        for row in self.journal.each(1):
            number = int(json.loads(row.body)["id"])
            assert row.sequence in self.durable or number in self.maybe, "an event from nowhere"
            self.durable[row.sequence] = number
        for key, sequence in self.journal._db.execute("SELECT key, sequence FROM events WHERE key IS NOT NULL"):
            self.keys[int(key[1:])] = sequence
        self.delivered = self.journal.stand().delivered_through

    @precondition(lambda self: self.durable)
    @rule(part=st.floats(0, 1), step=st.integers(0, 10))
    def deliver(self, part: float, step: int) -> None:
        through = max(self.delivered, int(max(self.durable) * part))
        if self.crash_during(lambda: self.journal.settle(delivered_through=through), step):
            assert self.journal.stand().delivered_through in {self.delivered, through}
            self.delivered = self.journal.stand().delivered_through
        else:
            self.delivered = through

    @rule(keep=st.booleans(), step=st.integers(0, 10))
    def purge(self, keep: bool, step: int) -> None:
        self.crash_during(lambda: self.journal.purge(older_than=-1000, keep_bytes=2**40 if keep else 0), step)
        left = {row.sequence for row in self.journal.each(1)}
        for sequence in set(self.durable) - left:
            assert sequence <= self.delivered, "an event that was not delivered is gone"
            self.purged = max(self.purged, sequence)
            number = self.durable.pop(sequence)
            assert number
        self.keys = {key: sequence for key, sequence in self.keys.items() if sequence in left}

    @invariant()
    def everything_durable_is_there_in_order_and_without_a_gap(self) -> None:
        rows = list(self.journal.each(1))
        assert {row.sequence: int(json.loads(row.body)["id"]) for row in rows} == self.durable
        sequences = [row.sequence for row in rows]
        if sequences:
            assert sequences == list(range(sequences[0], sequences[-1] + 1))
            assert self.journal.stand().last_sequence == sequences[-1]

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.folder)


JournalModel.TestCase.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
TestJournalModel = JournalModel.TestCase


@pytest.fixture
def journal(tmp_path: Path):
    opened, salvage = open_journal(tmp_path / "journal.db")
    assert salvage is None
    yield opened
    opened.close()


def test_an_event_carries_its_sequence_number_and_the_time_it_was_recorded(journal: Journal) -> None:
    journal.append([entry(1), entry(2)])
    event = json.loads(journal.rows(after=1)[0].body)
    assert event["sequence"] == "000000000000002"
    assert event["recordedtime"].endswith("Z")


def test_refused_events_stay_undelivered_and_are_never_purged(journal: Journal) -> None:
    journal.append([entry(n) for n in range(1, 11)])
    journal.settle(delivered_through=10, refused=[(4, "Not authorized")])
    assert journal.stand().undelivered == 1
    journal.purge(older_than=-1000, keep_bytes=0)
    assert numbers(journal) == [4]
    journal.settle(accepted=[4])
    journal.purge(older_than=-1000, keep_bytes=0)
    assert numbers(journal) == []
    journal.append([entry(11)])
    assert journal.stand().last_sequence == 11, "numbers are not used twice"


def test_nothing_is_purged_before_every_named_consumer_has_confirmed_it(journal: Journal) -> None:
    journal.append([entry(n) for n in range(1, 11)])
    journal.settle(delivered_through=10, receipts=[("blo", 6), ("centre", 3)])
    journal.purge(older_than=-1000, keep_bytes=0, receipts=["blo", "centre"])
    assert numbers(journal) == list(range(4, 11))
    journal.purge(older_than=-1000, keep_bytes=0, receipts=["blo", "centre", "silent"])
    assert numbers(journal) == list(range(4, 11))


def test_evidence_goes_with_its_event_and_holds_it_back_until_delivered(journal: Journal) -> None:
    picture = EvidenceItem(f"blo/evidence/{sha256(b'jpeg')}", "image/jpeg", b"jpeg")
    journal.append([entry(1, evidence=(picture,)), entry(2, evidence=(picture,))])
    ((row, topic),) = journal.waiting_evidence(after=0)
    assert journal.evidence(topic) == picture
    assert journal.waiting_evidence(after=row) == []
    journal.settle(delivered_through=2)
    journal.purge(older_than=-1000, keep_bytes=0)
    assert numbers(journal) == [2], "the newest event that refers to it stays while it waits"
    journal.settle(evidence=[topic])
    journal.purge(older_than=-1000, keep_bytes=0)
    assert numbers(journal) == []
    assert journal.evidence(topic) is None


def test_delivered_events_are_kept_within_the_bytes_allowed(journal: Journal) -> None:
    for start in range(0, 2000, 100):
        journal.append([Entry("blo/t", b'{"a":"' + b"x" * 1000 + b'"') for _ in range(start, start + 100)])
    journal.settle(delivered_through=2000)
    while journal.purge(older_than=10**6, keep_bytes=1_000_000):
        pass
    assert journal.size() <= 1_000_000
    assert len(list(journal.each(1))) > 500


@pytest.mark.parametrize("where", [0.0, 0.2, 0.5, 0.9])
def test_a_damaged_journal_is_set_aside_and_what_is_readable_is_saved(tmp_path: Path, where: float) -> None:
    path = tmp_path / "journal.db"
    journal, _ = open_journal(path)
    for start in range(0, 1000, 50):
        journal.append([Entry("blo/t", b'{"id":"%d","pad":"%s"' % (n, b"x" * 500)) for n in range(start, start + 50)])
    journal.settle(delivered_through=300)
    journal.close()
    content = bytearray(path.read_bytes())
    middle = int(len(content) * where)
    content[middle : middle + 8192] = b"\xa5" * 8192
    path.write_bytes(content)
    journal, salvage = open_journal(path)
    assert salvage is not None
    assert salvage.aside.is_dir()
    assert (salvage.aside / "journal.db").read_bytes() == content, "the damaged file is kept as it was"
    saved = list(journal.each(1))
    assert len(saved) == salvage.saved
    if where > 0:  # with the first page gone SQLite cannot even read the list of tables
        assert len(saved) > 900
        assert journal.stand().delivered_through == 300
    (new,) = journal.append([entry(1)])
    assert new == salvage.first_new
    assert new > 1000
    assert new % SKIP == 1, "no number is given twice, whatever was lost"
    journal.close()


def test_a_flipped_bit_that_sqlite_does_not_see_is_never_published(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal, _ = open_journal(path)
    journal.append([Entry("blo/t", b'{"id":"%d","pad":"%s"' % (n, b"x" * 5000)) for n in range(10)])
    journal.settle(delivered_through=4, refused=[(2, "Not authorized")])
    journal.close()
    content = path.read_bytes()
    place = content.index(b'"id":"6"') + 20
    path.write_bytes(content[:place] + b"y" + content[place + 1 :])
    journal, salvage = open_journal(path)
    assert salvage is None, "to SQLite it is a sound database"
    assert [row.sequence for row in journal.rows(after=0, last=6)] == [1, 2, 3, 4, 5, 6]
    with pytest.raises(JournalDamagedError, match="event 7 is not what was recorded"):
        journal.rows(after=0)
    journal.close()
    journal, salvage = set_aside(path, "event 7 is not what was recorded")
    assert salvage.saved == 9
    assert [row.sequence for row in journal.each(1)] == [1, 2, 3, 4, 5, 6, 8, 9, 10]
    assert journal.stand().delivered_through == 4
    assert journal.refused() == [(2, "Not authorized")], "it still waits for the broker"
    journal.close()


def test_a_journal_that_is_no_database_at_all_does_not_stop_the_agent(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a database" * 1000)
    journal, salvage = open_journal(path)
    assert salvage is not None
    assert salvage.saved == 0
    assert journal.append([entry(1)]) == [SKIP + 1]
    journal.close()


def test_a_full_disk_records_nothing_and_the_same_events_fit_when_there_is_room(journal: Journal) -> None:
    journal.append([entry(1)])
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count={pages + 2}")  # SQLite's own way to a full disk: the same error code
    big = Entry("blo/t", b'{"a":"' + b"x" * 100_000 + b'"')
    with pytest.raises(JournalUnwritableError, match="full"):
        journal.append([entry(2), big])
    assert numbers(journal) == [1]
    journal._db.execute("PRAGMA max_page_count=1000000")
    assert journal.append([entry(2), big]) == [2, 3]


def test_what_append_returned_survives_kill_9_of_the_process(tmp_path: Path) -> None:
    script = (
        "import sys, os; from pathlib import Path; from edge_agent.daemon.journal import Entry;"
        "from edge_agent.daemon.salvage import open_journal; j, _ = open_journal(Path(sys.argv[1]));\n"
        "for n in range(1, 10**6): print(j.append([Entry('t', b'{\"id\":\"%d\"' % n)])[0], flush=True)"
    )
    path = tmp_path / "journal.db"
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = [int(process.stdout.readline()) for _ in range(200)]
    process.kill()
    printed += [int(line) for line in process.stdout.read().split()]
    process.wait()
    journal, salvage = open_journal(path)
    assert salvage is None
    assert numbers(journal)[: len(printed)] == printed
    journal.close()


def test_the_commit_is_synchronous(journal: Journal) -> None:
    assert journal._db.execute("PRAGMA synchronous").fetchone()[0] == 2
    with sqlite3.connect(journal.path) as other:
        assert other.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
