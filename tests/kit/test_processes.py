"""The supervisor: programs start, speak, come back when they die, and end together."""

import io
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from donorhub.kit.ports import answers_http, answers_tcp, free_port, is_free
from donorhub.kit.processes import Program, ProgramFailed, Stopping, Supervisor

STUBBORN = "import signal,time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); "
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def supervisor():
    found = Supervisor(out=io.StringIO())
    yield found
    found.stop(patience=0.2)


def a_program(code, *, name="part", **more):
    return Program(name=name, command=(sys.executable, "-c", code), **more)


def until(holds, *, within=10.0):
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def ends(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_every_line_is_printed_under_the_name_of_its_program(supervisor):
    supervisor.run(a_program("print('one'); print('two')", name="worker"))
    until(lambda: supervisor.out.getvalue().count("\n") == 2)
    assert supervisor.out.getvalue() == "   worker | one\n   worker | two\n"


def test_a_program_that_ends_badly_is_reported_with_its_code(supervisor):
    with pytest.raises(ProgramFailed, match="database ended with code 3"):
        supervisor.run(a_program("raise SystemExit(3)", name="database"))


def test_waiting_ends_when_the_port_answers(supervisor):
    port = free_port(23_000)
    serve = f"import socket,time; time.sleep(.2); socket.create_server(('127.0.0.1',{port}));"
    serve = serve.replace("socket.create_server", "s=socket.create_server") + "time.sleep(60)"
    supervisor.start(a_program(serve, ready=answers_tcp(port)))
    supervisor.wait_ready()
    assert not is_free(port)


def test_waiting_ends_when_the_program_dies_first(supervisor):
    supervisor.start(a_program("raise SystemExit(1)", name="web", ready=answers_tcp(1)))
    with pytest.raises(ProgramFailed, match="web ended with code 1"):
        supervisor.wait_ready("web")


def test_waiting_is_not_for_ever(supervisor):
    slow = a_program("import time; time.sleep(60)", ready=answers_tcp(1), ready_within=0.2)
    supervisor.start(slow)
    with pytest.raises(ProgramFailed, match="not ready within"):
        supervisor.wait_ready()


def test_a_program_that_was_killed_is_started_again(supervisor, tmp_path):
    starts = tmp_path / "starts"
    code = f"import os,time; print(os.getpid(), file=open({str(starts)!r}, 'a')); time.sleep(60)"
    supervisor.start(a_program(code))

    def after_two_starts():
        pids = starts.read_text().split() if starts.exists() else []
        if len(pids) == 1 and not ends(int(pids[0])):
            os.kill(int(pids[0]), signal.SIGKILL)
        supervisor.stop_requested = len(pids) == 2

    with pytest.raises(Stopping):
        supervisor.watch(also=after_two_starts)
    assert "was killed by SIGKILL; starting it again in 0.5 s" in supervisor.out.getvalue()


def test_a_program_that_dies_again_and_again_is_given_up(supervisor, monkeypatch):
    monkeypatch.setattr("donorhub.kit.processes.RESTARTS", 1)
    supervisor.start(a_program("raise SystemExit(7)", name="web"))
    with pytest.raises(ProgramFailed, match="ended with code 7, 2 times in a row"):
        supervisor.watch()


def test_a_program_that_ignores_sigterm_is_killed(supervisor):
    supervisor.start(a_program(STUBBORN + "time.sleep(60)"))
    until(lambda: "up" in supervisor.out.getvalue())
    process = supervisor._children["part"].process
    supervisor.stop(patience=0.2)
    assert process.returncode == -signal.SIGKILL


def test_a_server_that_hangs_while_it_starts_is_not_waited_for(supervisor):
    supervisor.start(a_program(STUBBORN + "time.sleep(60)", ready=answers_tcp(1)))
    until(lambda: "up" in supervisor.out.getvalue())
    begun = time.monotonic()
    supervisor.stop(patience=60)
    assert time.monotonic() - begun < 2


def test_stopping_leaves_no_grandchild_behind(supervisor):
    code = f"""
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", {STUBBORN + "time.sleep(60)"!r}])
        print("grandchild", child.pid, flush=True)
        child.wait()
    """
    supervisor.start(a_program(textwrap.dedent(code)))
    until(lambda: "up" in supervisor.out.getvalue())
    line = next(at for at in supervisor.out.getvalue().splitlines() if "grandchild" in at)
    grandchild = int(line.split()[-1])
    supervisor.stop(patience=0.2)
    until(lambda: ends(grandchild))
    assert ends(grandchild)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties children to their parent")
def test_children_end_when_the_supervisor_is_killed(tmp_path):
    code = f"""
        import sys, time
        from donorhub.kit.processes import Program, Supervisor
        sleep = "import os,time; print(os.getpid(), file=open({str(tmp_path / "pid")!r}, 'w'), "
        sleep += "flush=True); time.sleep(60)"
        Supervisor().start(Program(name="part", command=(sys.executable, "-c", sleep)))
        time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=CHECKOUT)
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    child = int((tmp_path / "pid").read_text())
    assert not ends(child)
    parent.kill()
    parent.wait()
    until(lambda: ends(child))
    assert ends(child)


def test_a_port_in_use_is_passed_over():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert free_port(port) > port


def test_a_port_that_is_spoken_for_is_passed_over():
    first = free_port(24_000)
    assert free_port(first, besides={first}) > first


def test_a_page_that_nobody_serves_is_not_ready():
    assert not answers_http(free_port(25_000), "/healthz")()
