import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, promises, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Meter, type MeterScopeOption, MiB, type Usage } from '../../../lib/index.js'
import { isCoded, thrown } from '../support.js'
import { beside, burn, burnWorker, endWorker, numberIn, startWorker, usageOf } from './support.js'

const US = 0.01 // ms: what is rounded to microseconds, several times
const TMPFS = 0x01021994
const cpuOfProcess = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e3
}
const cache = join(fileURLToPath(new URL('../../..', import.meta.url)), '.cache')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'metering-'))
test.after(() => rmSync(folder, { recursive: true }))

for (const level of ['time', 'all'] as const) {
  test(`the CPU time of the process is the kernel's, at level ${level}`, async () => {
    using meter = new Meter('process', { level })
    const { least, usage, most } = await beside(meter, cpuOfProcess, () => burn(40))
    assert.ok(least >= 40)
    assert.ok((usage.cpu as number) >= least - US && (usage.cpu as number) <= most + US, `${least} ${usage.cpu} ${most}`)
  })
}

test('user and system time add up to the CPU time', async () => {
  using meter = new Meter('process')
  const { least, usage, most } = await beside(meter, cpuOfProcess, () => burn(40))
  const { cpu, cpuUser, cpuSystem } = usage as Required<Usage>
  for (const one of [cpu, cpuUser + cpuSystem]) assert.ok(one >= least - US && one <= most + US, `${cpuUser} + ${cpuSystem}, ${cpu}`)
})

test('what a worker does is of the process and not of the thread that waits for it', async () => {
  using thread = new Meter('thread')
  using whole = new Meter('process')
  const worker = startWorker()
  await once(worker, 'message')
  let own = 0
  let others = 0
  const usage = await usageOf(whole, async () => {
    const before = await burnWorker(worker, 0)
    const { cpu } = await usageOf(thread, async () => {
      const after = await burnWorker(worker, 300)
      others = (after.cpu as number) - (before.cpu as number)
    })
    own = cpu as number
  })
  await endWorker(worker)
  assert.ok(others >= 300)
  assert.ok(own + others <= (usage.cpu as number) + US, `${own} and ${others} of ${usage.cpu}`)
})

for (const scope of ['thread', 'process'] as const) {
  test(`the bytes that a ${scope} writes to a file are those that the kernel has in its io`, async () => {
    using meter = new Meter(scope)
    const file = openSync(join(folder, scope), 'w')
    const path = scope === 'thread' ? '/proc/thread-self/io' : '/proc/self/io'
    const work = () => {
      writeSync(file, Buffer.alloc(MiB, 1))
      fsyncSync(file)
    }
    const { least, usage, most } = await beside(meter, () => numberIn(path, 'write_bytes'), work)
    closeSync(file)
    assert.ok((usage.diskWritten as number) >= least && (usage.diskWritten as number) <= most, `${least} ${usage.diskWritten} ${most}`)
    if (statfsSync(folder).type !== TMPFS) assert.ok((usage.diskWritten as number) >= MiB)
  })
}

test("what Node's pool writes is of the process and not of the thread", async () => {
  using thread = new Meter('thread')
  using whole = new Meter('process')
  if (statfsSync(folder).type === TMPFS) return
  let own: number | undefined
  const usage = await usageOf(whole, async () => {
    own = (await usageOf(thread, () => promises.writeFile(join(folder, 'pool'), Buffer.alloc(MiB, 1)))).diskWritten
  })
  assert.ok((usage.diskWritten as number) >= MiB)
  assert.is(own, 0)
})

test('page faults are those of the kernel, and fresh memory has some', async () => {
  using meter = new Meter('process')
  const faults = () => {
    const { minorPageFault, majorPageFault } = process.resourceUsage()
    return minorPageFault + majorPageFault
  }
  const { least, usage, most } = await beside(meter, faults, () => Buffer.alloc(32 * MiB, 1))
  assert.ok(least > 0)
  assert.ok((usage.pageFaults as number) >= least && (usage.pageFaults as number) <= most, `${least} ${usage.pageFaults} ${most}`)
})

test('a thread that waits is switched away from', async () => {
  using meter = new Meter('thread')
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4))
  const { contextSwitches } = await usageOf(meter, () => {
    for (let i = 0; i < 10; i++) Atomics.wait(nobodyWakes, 0, 0, 1)
  })
  assert.ok((contextSwitches as number) >= 10, `${contextSwitches}`)
})

test('memory is what the process has now, and its peak is told when it was reached between the readings', async () => {
  using meter = new Meter('process')
  const kept: Buffer[] = []
  const peak = process.resourceUsage().maxRSS * 1024
  const grown = await usageOf(meter, () => kept.push(Buffer.alloc(Math.ceil(peak - process.memoryUsage.rss()) + 64 * MiB, 1)))
  assert.ok(Math.abs((grown.memory as number) - process.memoryUsage.rss()) < 16 * MiB)
  assert.ok((grown.memoryPeak as number) >= peak + 32 * MiB)
  const { memoryPeak } = await usageOf(meter, () => {})
  assert.is(memoryPeak, undefined)
})

test('what cannot be told is absent, and so is the word for how', async () => {
  using thread = new Meter('thread')
  const usage = await usageOf(thread, () => burn(5))
  for (const field of ['memory', 'memoryPeak', 'networkReceived', 'networkSent'] as const) {
    assert.not(field in usage)
    assert.not(field in thread.methods)
  }
  for (const field of ['instructions', 'cycles'] as const) {
    if (field in usage) assert.ok((usage[field] as number) > 0)
    assert.is(field in usage, field in thread.methods)
  }
  using time = new Meter('thread', { level: 'time' })
  assert.equal(Object.keys(await usageOf(time, () => {})).sort(), ['cpu', 'wall'])
})

test('each value says how it was measured', async () => {
  for (const scope of ['thread', 'process', 'children', 'host', { pid: process.pid }] as MeterScopeOption[]) {
    using meter = new Meter(scope)
    const usage = await usageOf(meter, () => {})
    const { memoryPeak: _, ...words } = meter.methods
    assert.equal(Object.keys(words).sort(), Object.keys(usage).sort())
    for (const word of Object.values(words)) assert.type(word, 'string')
  }
  using meter = new Meter('thread', { level: 'time' })
  assert.equal(meter.methods, { wall: 'CLOCK_MONOTONIC', cpu: 'CLOCK_THREAD_CPUTIME_ID' })
})

test('a reading is written from its place on, and nothing beside it', () => {
  for (const level of ['time', 'all'] as const) {
    using meter = new Meter('thread', { level })
    const buffer = new Float64Array(meter.length + 2).fill(-1)
    meter.read(buffer, 1)
    assert.is(buffer[0], -1)
    assert.is(buffer[meter.length + 1], -1)
    assert.not(buffer.subarray(1, -1).includes(-1))
  }
})

test('another process is read while it is there', async () => {
  const child = spawn(process.execPath, [
    '-e',
    "process.stdin.on('data', () => { for (const t = process.cpuUsage(); process.cpuUsage(t).user < 2e5; ); process.stdout.write('done') })"
  ])
  using meter = new Meter({ pid: child.pid as number })
  const usage = await usageOf(meter, async () => {
    child.stdin.write('go')
    await once(child.stdout, 'data')
  })
  assert.ok((usage.cpu as number) >= 100 && (usage.cpu as number) < 10_000, `${usage.cpu}`)
  assert.ok((usage.memory as number) > MiB)
  assert.not(meter.ended)
  assert.match(meter.methods.cpu as string, 'clock_getcpuclockid')
  child.kill()
  await once(child, 'exit')
  assert.ok(meter.ended)
  const buffer = new Float64Array(meter.length)
  meter.read(buffer, 0)
  assert.not(Number.isNaN(buffer[0]))
  // By the kernel's last account, or not at all: never by whoever has the pid now.
  if (Number.isNaN(buffer[1])) assert.equal(Object.keys(meter.methods), ['wall'])
  else assert.match(meter.methods.cpu as string, 'waitid')
})

test('time alone of another process is the same clock', async () => {
  using meter = new Meter({ pid: process.pid }, { level: 'time' })
  const { least, usage, most } = await beside(meter, cpuOfProcess, () => burn(20))
  assert.ok((usage.cpu as number) >= least - US && (usage.cpu as number) <= most + US)
})

test('a process or a cgroup that is not there is not found', () => {
  isCoded(
    thrown(() => new Meter({ pid: 2 ** 22 })),
    'ERR_FORELOCK_NOT_FOUND'
  )
  isCoded(
    thrown(() => new Meter({ cgroup: '/no/such/group' })),
    'ERR_FORELOCK_NOT_FOUND'
  )
})

test('the host has counters of its own', async () => {
  using meter = new Meter('host')
  const usage = await usageOf(meter, () => burn(100))
  assert.ok((usage.cpu as number) >= 50, `${usage.cpu}`)
  assert.ok((usage.memory as number) > MiB)
  assert.ok((usage.contextSwitches as number) > 0)
})

test('what is no scope, level or buffer is refused before anything happens', () => {
  const scopes: unknown[] = [
    undefined,
    null,
    'cpu',
    1,
    {},
    [],
    { pid: 0 },
    { pid: -1 },
    { pid: 1.5 },
    { pid: '1' },
    { pid: 2 ** 31 },
    { pid: 1, cgroup: '/' }
  ]
  for (const scope of [...scopes, { cgroup: 1 }, { cgroup: '' }, { cgroup: 'jobs' }, { cgroup: '/', other: 1 }, Symbol('x')]) {
    isCoded(
      thrown(() => new Meter(scope as MeterScopeOption)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  for (const options of [null, 1, { level: 'some' }, { levels: 'all' }]) {
    isCoded(
      thrown(() => new Meter('thread', options as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  using meter = new Meter('thread')
  const buffer = new Float64Array(meter.length + 1).fill(-1)
  for (const into of [undefined, null, [], new Float32Array(99), new Uint8Array(999), new DataView(new ArrayBuffer(999)), {}]) {
    isCoded(
      thrown(() => meter.read(into as never, 0)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  for (const at of [-1, 2, 0.5, NaN, Infinity, '0', undefined, 2 ** 53]) {
    isCoded(
      thrown(() => meter.read(buffer, at as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  assert.ok(buffer.every(value => value === -1))
  structuredClone(buffer, { transfer: [buffer.buffer as ArrayBuffer] })
  isCoded(
    thrown(() => meter.read(buffer, 0)),
    'ERR_FORELOCK_ARGUMENT'
  )
})

test('a closed meter reads no more, and may be closed again', () => {
  const meter = new Meter('process')
  const buffer = new Float64Array(meter.length).fill(-1)
  meter.close()
  meter.close()
  assert.ok(meter.closed)
  for (const call of [() => meter.read(buffer, 0), () => meter.methods, () => meter.ended]) isCoded(thrown(call), 'ERR_FORELOCK_CLOSED')
  assert.ok(buffer.every(value => value === -1))
})

test('closing a meter closes its files', async () => {
  const open = () => promises.readdir('/proc/self/fd').then(({ length }) => length)
  const before = await open()
  const meters = Array.from({ length: 10 }, () => new Meter('process'))
  assert.ok((await open()) >= before + 10)
  for (const meter of meters) meter.close()
  assert.is(await open(), before)
})

test.run()
