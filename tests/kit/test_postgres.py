"""The PostgreSQL of one's own: it starts, keeps its data, and survives being killed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from donorhub.kit import postgres
from donorhub.kit.postgres import PostgresMissing, account, ensure_database, temporary_server
from donorhub.kit.postgres.programs import find_programs

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server():
    with temporary_server() as found:
        yield found


@pytest.fixture(scope="module")
def kept():
    """A folder for servers that come and go; pytest closes its own to other accounts."""
    folder = Path(tempfile.mkdtemp(prefix="donorhub-test-"))
    yield folder
    shutil.rmtree(folder)


def ask(server, question):
    with psycopg.connect(server.url, autocommit=True) as connection:
        answer = connection.execute(question)
        return answer.fetchone() if answer.description else None


def test_it_speaks_utf8_and_utc(server):
    settings = "SELECT current_setting('server_encoding'), current_setting('TimeZone')"
    assert ask(server, settings) == ("UTF8", "UTC")


def test_it_knows_the_letters_of_french(server):
    assert ask(server, "SELECT lower('ÉTÉ')") == ("été",)


def test_it_listens_on_no_network_address(server):
    assert ask(server, "SELECT current_setting('listen_addresses')") == ("",)


def test_only_its_own_account_can_reach_it(server):
    assert server.cluster.folder.stat().st_mode & 0o077 == 0


def test_a_test_server_gives_up_durability_and_a_real_one_does_not(server, kept):
    durable = ensure_database(kept)
    try:
        assert ask(server, "SHOW fsync") == ("off",)
        assert ask(durable, "SHOW fsync") == ("on",)
        assert ask(durable, "SHOW synchronous_commit") == ("on",)
        assert ask(server, "SHOW fsync") == ("off",), "the two run side by side"
    finally:
        durable.stop()


def test_a_second_caller_gets_the_same_server(server):
    again = ensure_database(server.cluster.folder.parent)
    assert again.url == server.url
    assert again.is_running()


def test_another_database_of_the_server_has_an_address(server):
    with psycopg.connect(server.url_for("postgres")) as connection:
        assert connection.info.dbname == "postgres"


def test_a_database_that_is_named_is_used_as_it_is(tmp_path):
    named = ensure_database(tmp_path, url="postgresql://db.example/gifts")
    named.stop()
    assert named.url == "postgresql://db.example/gifts"
    assert named.is_running()
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_survives_kill_9(kept):
    server = ensure_database(kept)
    try:
        ask(server, "CREATE TABLE gifts AS SELECT 4001 AS minor")
        postmaster = server.cluster.postmaster()
        for process in (postmaster, *postmaster.children()):
            process.send_signal(signal.SIGKILL)
        while server.is_running():
            time.sleep(0.01)
        server = ensure_database(kept)
        assert ask(server, "SELECT minor FROM gifts") == (4001,)
    finally:
        server.stop()


def test_a_process_number_left_behind_does_not_prevent_the_start(kept):
    server = ensure_database(kept)
    server.stop()
    stranger = f"{os.getpid()}\n{server.cluster.folder}\n1\n5432\n"
    (server.cluster.folder / "postmaster.pid").write_text(stranger)
    server = ensure_database(kept)
    try:
        assert ask(server, "SELECT 1") == (1,)
    finally:
        server.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties children to their parent")
def test_it_ends_with_the_process_that_started_it(kept):
    code = f"""
        import time
        from pathlib import Path
        from donorhub.kit.postgres import ensure_database
        print(ensure_database(Path({str(kept)!r})).cluster.postmaster().pid, flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as starter:
        postmaster = psutil.Process(int(starter.stdout.readline()))
        assert postmaster.is_running()
        starter.kill()
    _, alive = psutil.wait_procs([postmaster], timeout=5)
    assert not alive


def test_a_long_path_gets_a_socket_elsewhere(kept):
    deep = kept / ("a" * 60) / ("b" * 60)
    server = ensure_database(deep, durable=False)
    try:
        assert ask(server, "SELECT 1") == (1,)
        assert server.cluster.socket_folder.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
        server.cluster.socket_folder.rmdir()


def test_where_no_postgresql_is_found_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(postgres.programs, "_folders", lambda: iter(()))
    with pytest.raises(PostgresMissing, match="apt-get install postgresql"):
        find_programs()


def test_data_of_another_version_is_named_as_such():
    with pytest.raises(PostgresMissing, match="made by PostgreSQL 14"):
        find_programs(major=14)


def test_private_folders_above_are_opened_for_passing_only(tmp_path):
    private = tmp_path / "private"
    (private / "instance" / "postgres").mkdir(parents=True)
    private.chmod(0o700)
    assert private in account.let_pass(private / "instance" / "postgres")
    assert private.stat().st_mode & 0o777 == 0o701


def test_a_strict_umask_is_undone_for_programs(tmp_path):
    program, page = tmp_path / "bin" / "postgres", tmp_path / "share" / "page"
    for path, mode in ((program, 0o700), (page, 0o600)):
        path.parent.mkdir(mode=0o700)
        path.touch()
        path.chmod(mode)
    tmp_path.chmod(0o700)
    account.let_read(tmp_path)
    assert program.stat().st_mode & 0o007 == 0o005
    assert page.stat().st_mode & 0o007 == 0o004
    assert page.parent.stat().st_mode & 0o007 == 0o005
