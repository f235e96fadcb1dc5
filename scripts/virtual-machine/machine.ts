import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { access, constants, mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { root as checkout } from '../gate/run-program.ts'
import { guestAnswers } from './agent.ts'
import { checkoutDisk, packagesDisk } from './checkout-disks.ts'
import { rootImage, type RootImage } from './root-image.ts'

const folder = join(checkout, '.cache/virtual-machine')
const pidFile = join(folder, 'pid')
/** Where the guest's kernel and its services write. */
export const consoleFile = join(folder, 'console.log')
/** Leads to the guest's agent. */
export const agentSocket = join(folder, 'agent.sock')
const bootTimeoutMs = 300_000

/** Boots the machine with the checkout as it is now at `/coracle`. Throws when one runs already. */
export async function startMachine(): Promise<void> {
  if (runningPid() !== undefined) throw new Error('the virtual machine runs already: stop it first')
  await mkdir(folder, { recursive: true })
  const image = await rootImage()
  const disks = [await checkoutDisk(), await packagesDisk()]
  await rm(agentSocket, { force: true })
  await using log = await open(join(folder, 'qemu.log'), 'w')
  const args = qemuArguments(image, disks, await accelerator())
  const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', log.fd, log.fd], detached: true })
  child.unref()
  await writeFile(pidFile, String(child.pid ?? ''))
  try {
    await guestAnswers(agentSocket, () => runningPid() !== undefined, bootTimeoutMs)
  } catch (error) {
    await stopMachine()
    const said = readFileSync(join(folder, 'qemu.log'), 'utf8').trim()
    throw new Error(`${(error as Error).message}; its console is in ${consoleFile}. ${said}`, { cause: error })
  }
}

/** Ends the machine at once, if it runs. */
export async function stopMachine(): Promise<void> {
  for (let pid = runningPid(); pid !== undefined; pid = runningPid()) {
    process.kill(pid, 'SIGKILL')
    await setTimeout(50)
  }
  await rm(pidFile, { force: true })
}

/** The emulator of this checkout, if it runs. */
export function runningPid(): number | undefined {
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0
  if (pid === 0) return undefined
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(agentSocket) ? pid : undefined
  } catch {
    return undefined
  }
}

/** The processor's own virtualization where there is one; software is about ten times slower. */
async function accelerator(): Promise<readonly string[]> {
  const hasFlags = /\b(vmx|svm)\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))
  const isOpen = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
  if (hasFlags && isOpen) return ['-accel', 'kvm', '-cpu', 'host']
  // QEMU 7.2 spoils the flags in its 16 byte compare-and-exchange, and the kernel dies of that.
  return ['-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'max,-cx16']
}

/** Four processors and 4 GiB on two NUMA nodes; a kernel with huge pages and cgroup v2. */
function qemuArguments(image: RootImage, disks: readonly string[], accelerated: readonly string[]): readonly string[] {
  const kernelWords =
    'root=/dev/vda rw console=ttyS0 panic=-1 mitigations=off net.ifnames=0 systemd.unified_cgroup_hierarchy=1 hugepagesz=2M hugepages=64'
  return [
    ...accelerated,
    ...['-M', 'q35', '-m', '4G', '-smp', '4,sockets=2,cores=2', '-nodefaults', '-display', 'none', '-no-reboot'],
    ...[0, 1].flatMap((node) => [
      ...['-object', `memory-backend-ram,id=memory${node},size=2G`],
      ...['-numa', `node,nodeid=${node},cpus=${2 * node}-${2 * node + 1},memdev=memory${node}`],
    ]),
    ...['-kernel', image.kernel, '-initrd', image.initrd, '-append', kernelWords, '-serial', `file:${consoleFile}`],
    ...['-drive', `file=${image.disk},if=virtio,format=raw,snapshot=on`],
    ...disks.flatMap((disk) => ['-drive', `file=${disk},if=virtio,format=raw,readonly=on,file.locking=off`]),
    ...['-nic', 'user,model=virtio-net-pci,restrict=on'],
    ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=agent,path=${agentSocket},server=on,wait=off`],
    ...['-device', 'virtserialport,chardev=agent,name=coracle'],
  ]
}
