"""File systems in images, and copies of an image that are made in an instant."""

import fcntl
import os
import subprocess

#: ioctl_ficlonerange(2): the other file's content, shared until one of them is written.
FICLONE = 0x40049409

#: How each file system is made, how many MiB it needs, and how a copy is mounted beside or after its original.
KINDS = {
    "ext4": (["mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0"], 128, "loop"),
    "xfs": (["mkfs.xfs", "-q", "-m", "reflink=1"], 320, "loop,nouuid"),
    "btrfs": (["mkfs.btrfs", "-q"], 256, "loop"),
}


def command(*words):
    """Runs a command that must succeed."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stdout.strip()}")


def copy_in_an_instant(path, target):
    """Makes a copy of a file on XFS or btrfs as it was at one instant between call and return."""
    with open(path, "rb") as source, open(target, "wb") as copy:
        fcntl.ioctl(copy.fileno(), FICLONE, source.fileno())


class Volume:
    """A mounted file system in an image."""

    def __init__(self, image, directory, kind, mebibytes=None):
        """Makes it, or mounts the one that the image holds when `mebibytes` is 0."""
        maker, usual, self.options = KINDS[kind]
        self.image, self.directory, self.kind = image, directory, kind
        size = usual if mebibytes is None else mebibytes
        if size:
            with open(image, "wb") as file:
                file.truncate(size << 20)
            command(*maker, image)
        os.makedirs(directory, exist_ok=True)
        command("mount", "-t", kind, "-o", self.options, image, directory)

    def close(self):
        """Unmounts it, or leaves that to the kernel where a mount namespace of somebody else still has it."""
        try:
            command("umount", self.directory)
        except OSError:
            command("umount", "--lazy", self.directory)
        os.unlink(self.image)
