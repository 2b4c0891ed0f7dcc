"""Two PostgreSQL servers, a primary and its synchronous standby, with what an operator does when one of them fails."""

import glob
import os
import pwd
import shutil
import signal
import subprocess
import time

#: Where Debian has PostgreSQL's programs, the newest release's.
BINARIES = max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]), default="")

USER = "postgres"  # the servers refuse to run as root
AS_USER = [*f"setpriv --reuid={USER} --regid={USER} --init-groups --pdeathsig KILL --".split()]

PORT = 5432
DATABASE = "acms"

#: What is not said here is as PostgreSQL has it, as on any server that nobody has tuned.
CONFIGURATION = f"""
data_directory = '{{data}}'
hba_file = '{{directory}}/hba.conf'
ident_file = '{{data}}/pg_ident.conf'
listen_addresses = '{{address}}'
port = {PORT}
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
cluster_name = '{{name}}'
max_connections = 200
shared_buffers = 64MB
wal_keep_size = 1GB
wal_retrieve_retry_interval = 200ms
track_commit_timestamp = on
synchronous_commit = on
synchronous_standby_names = '{{standby}}'
primary_conninfo = '{{source}}'
log_line_prefix = '%m [%p] %a %h '
"""


class Server:
    """A server on a machine of its own."""

    def __init__(self, machine, directory):
        self.machine = machine
        self.directory = directory
        self.data = f"{directory}/data"
        self.process = None
        os.makedirs(directory)
        os.chown(directory, pwd.getpwnam(USER).pw_uid, -1)
        with open(f"{directory}/hba.conf", "w") as file:
            file.write("host all,replication all samenet trust\n")

    @property
    def address(self):
        return self.machine.address

    def configure(self, standby=None, source=None):
        """Writes the configuration: of one that waits for a standby, or of one that is the standby of a source."""
        origin = f"host={source.address} port={PORT} user={USER} application_name={self.machine.name}" if source else ""
        names = standby.machine.name if standby else ""
        with open(f"{self.directory}/postgresql.conf", "w") as file:
            file.write(CONFIGURATION.format(
                data=self.data, directory=self.directory, address=self.address, name=self.machine.name,
                standby=names, source=origin))

    def run(self, program, *arguments):
        """The output of one of PostgreSQL's programs."""
        done = subprocess.run(
            [*self.machine.enter, *AS_USER, f"{BINARIES}/{program}", *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.directory,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGCONNECT_TIMEOUT": "5"})
        if done.returncode != 0:
            raise OSError(f"{program} on {self.machine.name}: {done.stderr.strip()}")
        return done.stdout

    def sql(self, query, database=DATABASE):
        """The lines that a query gives, asked as the superuser."""
        output = self.run(
            "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.address, "-p", str(PORT), "-U", USER, "-d", database,
            "-c", query)
        return output.splitlines()

    def create(self):
        self.run("initdb", "-D", self.data, "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")

    def copy(self, source, seconds=20):
        """Makes it a standby of another one, whatever it was. It may take a moment until a network finds the other."""
        end = time.monotonic() + seconds
        while True:
            shutil.rmtree(self.data, ignore_errors=True)
            try:
                self.run("pg_basebackup", "-D", self.data, "-h", source.address, "-p", str(PORT), "-U", USER,
                         "--checkpoint=fast", "--wal-method=stream")
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
        with open(f"{self.data}/standby.signal", "w"):
            pass
        self.configure(source=source)

    def start(self, seconds=60):
        """Starts it and waits until it can be asked."""
        inside = "setpriv --pdeathsig KILL unshare --pid --fork --kill-child --".split()
        words = [*self.machine.enter, *inside, *AS_USER]
        words += [f"{BINARIES}/postgres", "-c", f"config_file={self.directory}/postgresql.conf"]
        with open(f"{self.directory}/postgresql.log", "a") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory, start_new_session=True)
        end = time.monotonic() + seconds
        while True:
            try:
                self.sql("SELECT 1", "postgres")
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def signal(self, number):
        """Sends it to the postmaster, which is the first process of its process namespace."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            for pid in file.read().split():
                os.kill(int(pid), number)

    def kill9(self):
        """Kills all its processes at one instant, since the kernel ends a namespace with its first process."""
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait()

    def stop(self):
        """Ends it in good order if it does."""
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill9()

    def reload(self):
        self.sql("SELECT pg_reload_conf()", "postgres")

    def wait(self, query, seconds=60):
        """Waits until a query is true."""
        end = time.monotonic() + seconds
        while self.sql(query, "postgres") != ["t"]:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.machine.name}: {query} is not true.")
            time.sleep(0.02)


class Cluster:
    """The two servers. Which is the primary changes."""

    def __init__(self, machines, directory, is_synchronous=True):
        self.is_synchronous = is_synchronous
        self.primary, self.standby = (Server(machine, f"{directory}/{machine.name}") for machine in machines)
        self.servers = [self.primary, self.standby]

    @property
    def url(self):
        """Where to find whichever is the primary."""
        return f"postgresql://acms@{','.join(f'{one.address}:{PORT}' for one in self.servers)}/{DATABASE}"

    def create(self):
        if not BINARIES:
            raise OSError("There is no PostgreSQL server here. Install the package postgresql.")
        self.primary.create()
        self.primary.configure()
        self.primary.start()
        self.primary.sql("CREATE ROLE acms LOGIN", "postgres")
        self.primary.sql(f"CREATE DATABASE {DATABASE} OWNER acms", "postgres")
        self.make_standby()

    def make_standby(self):
        """Makes the one that isn't the primary a standby from scratch, and waits until it has everything."""
        self.standby.kill9()
        self.standby.copy(self.primary)
        self.standby.start()
        self.wait_for_standby()

    def wait_for_standby(self):
        """From here on what is committed is on both; so is what was committed before."""
        of_standby = f"FROM pg_stat_replication WHERE application_name = '{self.standby.machine.name}'"
        self.primary.wait(f"SELECT count(*) = 1 {of_standby} AND state = 'streaming'")
        if self.is_synchronous:
            self.primary.configure(standby=self.standby)
            self.primary.reload()
            self.primary.wait(f"SELECT count(*) = 1 {of_standby} AND sync_state = 'sync'")
        position = self.primary.sql("SELECT pg_current_wal_lsn()", "postgres")[0]
        self.primary.wait(f"SELECT bool_or(flush_lsn >= '{position}') {of_standby}")

    def promote(self):
        """Makes the standby the primary. It waits for no standby until it has one."""
        self.standby.configure()
        self.standby.reload()
        self.standby.sql("SELECT pg_promote(true, 60)", "postgres")
        self.primary, self.standby = self.standby, self.primary

    def end(self):
        for server in self.servers:
            server.stop()
