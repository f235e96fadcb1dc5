/** Text files of the virtual machine's root file system, by path: what makes a Debian of the packages into our guest. */
export const guestFiles: Readonly<Record<string, string>> = {
  'etc/hostname': 'coracle-vm\n',
  'etc/hosts': '127.0.0.1 localhost\n127.0.1.1 coracle-vm\n',
  'etc/fstab': '/dev/vda / ext4 defaults 0 0\n',
  // Nothing outside answers, but a node wants an address and a default route.
  'etc/systemd/network/10-eth0.network': `[Match]
Name=eth0
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
LinkLocalAddressing=no
`,
  'etc/resolv.conf': 'nameserver 10.0.2.3\n',
  'etc/systemd/system/coracle-agent.service': `[Unit]
Description=Runs the commands that come from the host
[Service]
ExecStart=/usr/local/sbin/coracle-agent
OOMScoreAdjust=-900
[Install]
WantedBy=multi-user.target
`,
  // The port has room for one reader, and reads as ended while the host is not connected: it is opened once. A command comes as one line, its mark and itself in base64; its
  // end goes back as a line with the mark and the exit code.
  'usr/local/sbin/coracle-agent': `#!/bin/bash
exec 3<>/dev/virtio-ports/coracle
while true; do
  while IFS=' ' read -r mark command <&3; do
    base64 -d <<<"$command" >/run/coracle-command
    bash /run/coracle-command </dev/null >&3 2>&1
    printf '\\n%s %d\\n' "$mark" $? >&3
  done
  sleep 0.3
done
`,
  // The checkout and its packages are disks of the host's making, read anew by every mount; what is written goes nowhere.
  'usr/local/sbin/mount-checkout': `#!/bin/bash
set -e
if mountpoint -q /coracle; then umount /coracle; fi
if mountpoint -q /run/checkout/files; then umount /run/checkout/files; fi
rm -rf /var/tmp/checkout-changes
mkdir -p /run/checkout/{files,packages} /var/tmp/checkout-changes/{upper,work} /coracle
blockdev --flushbufs /dev/vdb
mount -t squashfs -o ro /dev/vdb /run/checkout/files
if ! mountpoint -q /run/checkout/packages; then mount -t squashfs -o ro /dev/vdc /run/checkout/packages; fi
changes=upperdir=/var/tmp/checkout-changes/upper,workdir=/var/tmp/checkout-changes/work
mount -t overlay -o lowerdir=/run/checkout/files:/run/checkout/packages,$changes overlay /coracle
`,
}

/** Those of the files that are programs. */
export const guestPrograms: readonly string[] = ['usr/local/sbin/coracle-agent', 'usr/local/sbin/mount-checkout']

/** Services that packages start and the guest has no use for, or that tests start when they want them. */
export const maskedServices: readonly string[] = [
  'getty@tty1.service',
  'serial-getty@ttyS0.service',
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  // A hundred profiles of programs that are not there; who wants a profile loads it.
  'apparmor.service',
  'rpc-statd-notify.service',
  'nfs-blkmap.service',
  'systemd-pstore.service',
  'systemd-networkd-wait-online.service',
]

/** Links below `etc/systemd/system` and the services they start. */
export const wantedServices: readonly string[] = ['coracle-agent.service', 'systemd-networkd.service']
