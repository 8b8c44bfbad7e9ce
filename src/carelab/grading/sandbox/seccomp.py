"""A seccomp filter: system calls that no answer needs and that attacks on a kernel are made of.

A list of what is forbidden, since nobody can list what numpy, pandas and their like need. It is the last of several walls:
namespaces, an empty set of capabilities and resource limits stand without it. Numbers are those of the kernel's
`arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h` (aarch64).
"""

import errno
import platform
import socket
import struct

_X86 = {
    # into another process
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    # namespaces and mounts
    "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161,
    # kernel interfaces with a history
    "bpf": 321, "add_key": 248, "request_key": 249, "keyctl": 250, "userfaultfd": 323, "perf_event_open": 298,
    "name_to_handle_at": 303, "open_by_handle_at": 304, "fanotify_init": 300, "modify_ldt": 154, "personality": 135,
    "lookup_dcookie": 212, "uselib": 134, "vhangup": 153, "syslog": 103,
    # the machine
    "init_module": 175, "finit_module": 313, "delete_module": 176, "kexec_load": 246, "kexec_file_load": 320,
    "acct": 163, "swapon": 167, "swapoff": 168, "reboot": 169, "quotactl": 179, "sethostname": 170,
    "setdomainname": 171, "iopl": 172, "ioperm": 173, "settimeofday": 164, "adjtimex": 159, "clock_settime": 227,
    "clock_adjtime": 305,
    # memory that no limit counts
    "memfd_create": 319, "shmget": 29, "msgget": 68, "semget": 64,
}  # fmt: skip
_ARM = {
    "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272,
    "unshare": 97, "setns": 268, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51,
    "bpf": 280, "add_key": 217, "request_key": 218, "keyctl": 219, "userfaultfd": 282, "perf_event_open": 241,
    "name_to_handle_at": 264, "open_by_handle_at": 265, "fanotify_init": 262, "personality": 92,
    "lookup_dcookie": 18, "vhangup": 58, "syslog": 116,
    "init_module": 105, "finit_module": 273, "delete_module": 106, "kexec_load": 104, "kexec_file_load": 294,
    "acct": 89, "swapon": 224, "swapoff": 225, "reboot": 142, "quotactl": 60, "sethostname": 161,
    "setdomainname": 162, "settimeofday": 170, "adjtimex": 171, "clock_settime": 112, "clock_adjtime": 266,
    "memfd_create": 279, "shmget": 194, "msgget": 186, "semget": 190,
}  # fmt: skip
# The same number everywhere: io_uring (3), mounts (428-433, 442), pidfd_getfd, process_madvise, quotactl_fd, memfd_secret.
_BOTH = (425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 440, 442, 443, 447)
_CLONE3, _NEWEST = 435, 462  # calls added after Linux 6.8 are unknown here: say that they do not exist
_AF_NETLINK, _NETLINK_ROUTE = 16, 0  # not in the socket module everywhere
_NAMESPACE_FLAGS = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET

_MACHINES = {  # audit name of the machine, forbidden calls, clone, socket
    "x86_64": (0xC000003E, _X86, 56, 41),
    "aarch64": (0xC00000B7, _ARM, 220, 198),
}
_LOAD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


def known_machine() -> bool:
    """Whether the filter knows this machine's call numbers."""
    return platform.machine() in _MACHINES


def program() -> bytes:
    """The filter for this machine as BPF instructions. Raises KeyError on a machine it does not know."""
    audit, forbidden, clone, make_socket = _MACHINES[platform.machine()]
    no, absent = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
    code = [(_LOAD, 0, 0, 4), (_JEQ, 1, 0, audit), (_RET, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    # glibc and CPython fall back to clone, whose flags a filter can read, when clone3 does not exist.
    code += [(_JGE, 0, 1, _NEWEST + 1), (_RET, 0, 0, absent), (_JEQ, 0, 1, _CLONE3), (_RET, 0, 0, absent)]
    for number in sorted({*forbidden.values(), *_BOTH}):
        code += [(_JEQ, 0, 1, number), (_RET, 0, 0, no)]
    # clone: not with a new namespace.
    code += [(_JEQ, 0, 4, clone), (_LOAD, 0, 0, 16), (_JSET, 0, 1, _NAMESPACE_FLAGS), (_RET, 0, 0, no)]
    code += [(_RET, 0, 0, _ALLOW)]
    # socket: AF_VSOCK, for one, reaches the host of a virtual machine past every network namespace.
    # Netlink only to list network interfaces, which ZeroMQ does for an ordinary kernel; the call's third value is the protocol.
    code += [(_JEQ, 0, 8, make_socket), (_LOAD, 0, 0, 16)]
    code += [(_JEQ, 6, 0, socket.AF_UNIX), (_JEQ, 5, 0, socket.AF_INET), (_JEQ, 4, 0, socket.AF_INET6)]
    code += [(_JEQ, 0, 2, _AF_NETLINK), (_LOAD, 0, 0, 32), (_JEQ, 1, 0, _NETLINK_ROUTE), (_RET, 0, 0, no)]
    code += [(_RET, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
