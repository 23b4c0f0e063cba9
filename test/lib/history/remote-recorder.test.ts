import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Governor,
  type HistoryStore,
  type OpenOptions,
  open,
  openDuckDbStore,
  openMemoryStore,
  type Recorder,
  type RecorderOptions,
  type StorePlace,
  unlink
} from '../../../lib/index.js'
import { until } from '../../survive/support.js'
import { Agent } from '../agents.js'
import { isCoded, isSettled, rejection, thrown, virtual } from '../support.js'
import { leavingOne, placeOf, threadsOf } from '../thread/threads.js'

const folder = mkdtempSync(join(tmpdir(), 'forelock-recorder-'))
let made = 0
const newFile = () => join(folder, `${made++}.duckdb`)

/** A recorder that waits to take over keeps no process alive. */
async function awake<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 1000)
  try {
    return await promise
  } finally {
    clearInterval(timer)
  }
}

/** Threads of libuv's pool, where the store works. */
const POOL = 4

/** Of a process, by one letter (proc(5)). */
const stateOf = (pid: number) => /\) (.)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]

test.after(() => rmSync(folder, { recursive: true, force: true }))

type Body = (gov: Governor, recorder: Recorder, file: string) => Promise<void>

async function recording(body: Body, options: Pick<OpenOptions, 'name' | 'privacy'> = {}): Promise<void> {
  const file = newFile()
  const given = { capacity: { telemetry: 4096 }, ...options }
  const gov = options.name === undefined ? virtual(given) : open({ ...given, autoEnclose: false })
  const recorder = gov.record({ duckdb: file })
  await recorder.begun
  assert.is(recorder.error, undefined)
  try {
    await body(gov, recorder, file)
  } finally {
    await gov.close()
  }
}

/** In a named arena. */
async function named(body: (name: string) => Promise<void>): Promise<void> {
  const name = `remote-recorder-${process.pid}-${made++}`
  try {
    await body(name)
  } finally {
    unlink(name, { force: true })
  }
}

const inProcess = (body: Body) => () => named(name => recording(body, { name }))
const inThread = (body: Body) => () => recording(body)

for (const [where, inPlace] of Object.entries({ process: inProcess, thread: inThread })) {
  test(
    `a ${where} opens the store that was described, and writes there what is told`,
    inPlace(async (gov, recorder, file) => {
      assert.is(recorder.pid === process.pid, where === 'thread')
      const grant = gov.lock('invoice').tryAcquire({ workflow: 'checkout', tenant: 'acme' })
      const later = (ms: number) => gov.clock === 'virtual' && gov.advance(ms)
      later(40)
      grant?.release()
      await gov.workflow('encode', { metering: false }).run(run => run.action('read', () => later(10)))
      await recorder.drain()
      const events = await recorder.store.select('events', { where: { element: 'invoice' } })
      assert.equal(
        events.map(({ event, workflow, tenant, held }) => [event, workflow, tenant, held]),
        [
          ['grant', 'checkout', 'acme', undefined],
          ['end', 'checkout', 'acme', gov.clock === 'virtual' ? 40 : events[1]?.held]
        ]
      )
      assert.equal([recorder.status.active, recorder.status.runs, recorder.status.actions], [true, 1, 1])
      assert.is((await recorder.store.grouped({ source: 'events', metric: 'held', where: { workflow: 'checkout' } }))[0].count, 1)
      await recorder.stop()
      assert.is(recorder.status.active, false)
      const store = await openDuckDbStore(file)
      assert.is((await store.select('runs')).length, 1)
      assert.is(store.recovered, null)
      await store.close()
    })
  )

  test(
    `a store in another ${where} takes rows, and refuses what is wrong as any other does`,
    inPlace(async (_gov, recorder) => {
      const { store } = recorder
      isCoded(
        thrown(() => store.append('runs', [{ id: 1 } as never])),
        'ERR_FORELOCK_ARGUMENT'
      )
      store.append('audit', [{ time: 1, who: 'ada', role: 'admin', action: 'sql' }])
      await store.flush()
      assert.equal(await store.select('audit'), [{ time: 1, who: 'ada', role: 'admin', action: 'sql' }])
      const refused = await rejection(store.select('runs', { limit: -1 }))
      isCoded(refused, 'ERR_FORELOCK_ARGUMENT')
      assert.is((refused as { facts: { option: string } }).facts.option, 'limit')
      assert.equal([store.kind, store.recovered, store.health()], ['duckdb', null, { degraded: null, buffered: 0, dropped: 0 }])
      isCoded(await rejection(store.sql('SELECT $1', [() => 1] as never)), 'ERR_FORELOCK_ARGUMENT')
      await store.close()
      isCoded(await rejection(store.select('runs')), 'ERR_FORELOCK_CLOSED')
      isCoded(await rejection(recorder.drain()), 'ERR_FORELOCK_CLOSED')
      isCoded(
        thrown(() => store.append('audit', [])),
        'ERR_FORELOCK_CLOSED'
      )
    })
  )
}

test('names leave by the rules of the governor that records, also those of estimates, and none where they are dropped is scored', () =>
  recording(
    async (gov, recorder) => {
      for (const name of ['kept:1', 'user:ada', 'user:bob', 'secret:1', 'secret:2']) {
        const lock = gov.lock(name)
        lock.shadow()
        lock.tryAcquire()
      }
      await recorder.drain()
      const events = await recorder.store.select('events')
      const [kept, ada, bob, ...dropped] = events.map(({ element }) => element)
      assert.is(kept, 'kept:1')
      assert.match(ada ?? '', /^user:~/)
      assert.match(bob ?? '', /^user:~/)
      assert.is.not(ada, bob)
      assert.equal(dropped, ['secret:*', 'secret:*'])
      const estimates = await recorder.store.select('estimates', { where: { kind: 'contention' } })
      const known = estimates.filter(({ truth }) => truth === 0).map(({ subject }) => subject)
      assert.equal(known.sort(), ['lock:kept:1', `lock:${ada}`, `lock:${bob}`].sort())
      const said = new Set(estimates.map(({ subject }) => subject))
      assert.equal([...said].sort(), [...known, 'lock:secret:*'].sort())
    },
    { privacy: { key: 'sixteen bytes, or more', elements: { 'kept:': 'keep', 'user:': 'hash', 'secret:': 'drop' } } }
  ))

test('what names nothing that a column of words can tell apart is written as it is', () =>
  recording(async (gov, recorder) => {
    for (const name of ['', 'a\u0000b', 'a\u0000c', '\ud800', 'ü "\'']) gov.lock(`x${name}`).tryAcquire({ tenant: 'acme' })
    gov.lock('').tryAcquire({ tenant: 'acme' })
    await recorder.drain()
    assert.is((await recorder.store.select('events', { where: { tenant: 'acme' } })).length, 6)
    assert.is((await recorder.store.select('events', { where: { element: '' } })).length, 1)
    assert.is((await recorder.store.select('events', { where: { element: 'xü "\'' } })).length, 1)
  }))

test('closing the governor writes what was told, and frees the file', async () => {
  const file = newFile()
  const gov = virtual()
  const recorder = gov.record({ duckdb: file })
  await recorder.begun
  gov.lock('last').tryAcquire()
  await gov.close()
  const store = await openDuckDbStore(file)
  assert.is((await store.select('events', { where: { element: 'last' } })).length, 1)
  await store.close()
})

test('a store that cannot be opened stops the recorder, which says why, and another may go on', async () => {
  const file = newFile()
  const mine = await openDuckDbStore(file)
  const gov = virtual()
  const warned = once(process, 'warning')
  const recorder = gov.record({ duckdb: file })
  await recorder.begun
  isCoded(recorder.error, 'ERR_FORELOCK_IN_USE')
  assert.is(((await warned)[0] as { code?: string }).code, 'FORELOCK_RECORDER')
  isCoded(await rejection(recorder.drain()), 'ERR_FORELOCK_CLOSED')
  await mine.close()
  const second = gov.record({ duckdb: file })
  await second.begun
  assert.is(second.status.active, true)
  await gov.close()
})

test('of two that would write the same file the second opens it when the first has stopped', () =>
  recording(async (gov, first, file) => {
    const second = gov.record({ duckdb: file })
    gov.lock('before').tryAcquire()
    await first.drain()
    assert.is(await isSettled(second.begun), false)
    isCoded(
      thrown(() => second.store.append('audit', [])),
      'ERR_FORELOCK_CLOSED'
    )
    await first.stop()
    await awake(second.begun)
    gov.lock('after').tryAcquire()
    await second.drain()
    const elements = (await second.store.select('events')).map(({ element }) => element)
    assert.ok(elements.includes('before') && elements.includes('after'))
  }))

const ROOM = { capacity: { telemetry: 65_536 } }

/** Another process that records into a file, and this one that waits to go on with it. */
const following = (body: (gov: Governor, next: Recorder, first: Agent, writer: number) => Promise<void>) => () =>
  named(async name => {
    const file = newFile()
    const gov = open({ name, ...ROOM })
    const agent = await Agent.process({ name, ...ROOM, autoEnclose: false })
    try {
      const writer = await agent.record(file).done
      const next = gov.record({ duckdb: file })
      assert.is(await isSettled(next.begun), false)
      await body(gov, next, agent, writer)
    } finally {
      await agent.kill()
      await gov.close()
    }
  })

test(
  'when the caller of a recorder is killed, its process writes what was told, closes the file and ends, and the next one goes on',
  following(async (gov, next, caller, writer) => {
    const taken = caller.tryAcquire('before')
    await taken.done
    await caller.kill()
    await awake(next.begun)
    gov.lock('after').tryAcquire()
    await next.drain()
    assert.is.not(next.pid, writer)
    assert.equal([next.store.recovered, await next.store.select('losses')], [null, []])
    const elements = (await next.store.select('events')).map(({ element }) => element)
    assert.ok(elements.includes('before') && elements.includes('after'), elements.join())
  })
)

test(
  'when the process of a recorder is killed, the next one has the file, and says since when rows may be missing',
  following(async (gov, next, _caller, writer) => {
    // It writes no more from here on, however long this process stands still before it kills it.
    process.kill(writer, 'SIGSTOP')
    await until('it stands still', () => stateOf(writer) === 'T')
    const before = Date.now()
    process.kill(writer, 'SIGKILL')
    await awake(next.begun)
    gov.lock('after').tryAcquire()
    await next.drain()
    const [loss] = await next.store.select('losses')
    assert.is(loss.reason, 'killed')
    assert.ok(loss.time <= before && next.store.recovered?.lastFlush === loss.time)
    assert.ok((await next.store.select('events')).some(({ element }) => element === 'after'))
  })
)

test(
  'when its process is killed, the recorder says so, and whoever waits for an answer is told',
  inProcess(async (_gov, recorder) => {
    const warned = once(process, 'warning')
    const asked = rejection(recorder.store.select('runs'))
    process.kill(recorder.pid as number, 'SIGKILL')
    isCoded(await asked, 'ERR_FORELOCK_CLOSED')
    assert.is(((await warned)[0] as { code?: string }).code, 'FORELOCK_RECORDER')
    assert.match(String(recorder.error), /its process ended by SIGKILL/)
    assert.is(recorder.status.active, false)
    await recorder.stop()
  })
)

test(
  'what tells a whole group of processes to end does not end the recorder before its caller',
  inProcess(async (gov, recorder) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(recorder.pid as number, signal)
    gov.lock('after').tryAcquire()
    await recorder.drain()
    assert.is((await recorder.store.select('events', { where: { element: 'after' } })).length, 1)
  })
)

test(
  'its threads are nicer than the caller, those that write most of all, and leave it a processor',
  inProcess(async (gov, recorder) => {
    gov.lock('written').tryAcquire()
    await recorder.drain()
    const own = placeOf(process.pid)
    const pid = recorder.pid as number
    const niceOf = new Map<number, number>()
    for (const thread of threadsOf(pid)) {
      const { nice, processors } = placeOf(thread)
      assert.equal(processors, leavingOne(own.processors), `${thread} of ${pid}`)
      niceOf.set(thread, nice)
    }
    assert.is(niceOf.get(pid), Math.min(19, own.nice + 10))
    const nicest = [...niceOf.values()].filter(nice => nice === 19)
    assert.ok(nicest.length >= POOL, `${nicest.length} of ${niceOf.size} threads`)
  })
)

test(
  'one that waits for its turn is as nice as its caller until it records: nicer, it would be late to begin where others are busy',
  inProcess(async (gov, first) => {
    const other = open({ name: gov.name as string, autoEnclose: false })
    const next = other.record({ duckdb: newFile() })
    const waits = () => gov.inspect().some(({ name, waiters }) => name === 'forelock:recorder' && waiters.length > 0)
    await until('the other one waits', waits)
    const niceness = () => threadsOf(next.pid as number).map(thread => placeOf(thread).nice)
    const own = placeOf(process.pid).nice
    assert.equal([...new Set(niceness())], [own])
    await first.stop()
    await awake(next.begun)
    assert.ok(niceness().every(nice => nice > own))
    await other.close()
  })
)

test('the error of a process that cannot open its store is of the class that it is of here', () =>
  named(async name => {
    const file = newFile()
    const mine = await openDuckDbStore(file)
    const gov = open({ name })
    const warned = once(process, 'warning')
    const recorder = gov.record({ duckdb: file })
    await recorder.begun
    isCoded(recorder.error, 'ERR_FORELOCK_IN_USE')
    await warned
    await mine.close()
    await gov.close()
  }))

test('in a named arena a thread records where that is asked for', () =>
  named(async name => {
    const gov = open({ name })
    const recorder = gov.record({ duckdb: newFile() }, { recorder: 'thread' })
    await recorder.begun
    assert.equal([recorder.pid, recorder.error], [process.pid, undefined])
    await gov.close()
  }))

test('a place that a recorder cannot be in is refused before anything begins', async () => {
  const gov = virtual()
  const [file, memory] = [{ duckdb: newFile() }, openMemoryStore()]
  const wrong: [StorePlace | HistoryStore, unknown][] = [
    [file, 'fiber'],
    [file, 'process'],
    [await memory, 'thread']
  ]
  for (const [store, recorder] of wrong) {
    const refused = thrown(() => gov.record(store, { recorder } as RecorderOptions))
    isCoded(refused, 'ERR_FORELOCK_ARGUMENT')
    assert.is(refused.facts.option, 'recorder')
  }
  await gov.close()
})

test('when its thread ends unasked, the recorder says so, and the next one has the file', async () => {
  const file = newFile()
  const gov = virtual()
  const post = Worker.prototype.postMessage
  let thread: Worker | undefined
  Worker.prototype.postMessage = function (...args: Parameters<typeof post>) {
    thread = this
    return post.apply(this, args)
  }
  // Nothing by itself: in a thread that is ended while DuckDB works for it, that aborts the process.
  const recorder = gov.record({ duckdb: file }, { interval: 1e6, host: false })
  await recorder.begun
  await recorder.drain()
  Worker.prototype.postMessage = post
  const warned = once(process, 'warning')
  const ended = thread?.terminate()
  const asked = rejection(recorder.store.select('runs')) // heard by nobody any more
  await ended
  assert.is(((await warned)[0] as { code?: string }).code, 'FORELOCK_RECORDER')
  isCoded(await asked, 'ERR_FORELOCK_CLOSED')
  assert.match(String(recorder.error), /its thread ended/)
  assert.is(recorder.status.active, false)
  const next = gov.record({ duckdb: file })
  await awake(next.begun)
  await next.drain()
  assert.is((await next.store.select('losses'))[0]?.reason, 'killed')
  await gov.close()
})

for (const [how, code, end, turns] of [
  ['process.exit() at once', 3, 'process.exit(3)', 0],
  ['process.exit() soon', 3, 'process.exit(3)', 10],
  ['an uncaught exception', 1, "throw new Error('thrown')", 3],
  ['having nothing left to do', 0, '', 0]
] as const) {
  test(`a process that ends by ${how} while its thread records has its last records written, whatever is under way there`, async () => {
    const file = newFile()
    // Of what is under way nobody hears any more: the process ends meanwhile.
    const program = `
      import { open } from ${JSON.stringify(new URL('../../../lib/index.ts', import.meta.url).href)}
      const gov = open({ clock: 'virtual' })
      const recorder = gov.record({ duckdb: ${JSON.stringify(file)} }, { interval: 1e6 })
      await recorder.begun
      for (let i = 0; i < 20; i++) recorder.store.select('runs').catch(() => {})
      for (let i = 0; i < ${turns}; i++) await new Promise(setImmediate)
      gov.lock('last').tryAcquire()
      ${end}`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { stdio: 'ignore' })
    assert.equal(await once(child, 'exit'), [code, null])
    const store = await openDuckDbStore(file)
    assert.equal([store.recovered, (await store.select('events')).map(({ element }) => element)], [null, ['last']])
    await store.close()
  })
}

test('what is wrong about a description is said before anything begins', async () => {
  const gov = virtual()
  const wrong = [
    { duckdb: 1 },
    { duckdb: 'x', postgres: 'y' },
    { duckdb: 'x', threads: 0 },
    { duckdb: 'x', schema: 'y' },
    { postgres: 'x', schema: 'Y' },
    null,
    'x'
  ]
  for (const place of wrong as StorePlace[]) {
    isCoded(
      thrown(() => gov.record(place)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  await gov.close()
})

test('a private arena that is closed before its recorder has begun leaves neither an error nor a warning', async () => {
  const warnings: Error[] = []
  const hear = (warning: Error) => void warnings.push(warning)
  process.on('warning', hear)
  const gov = virtual()
  const recorder = gov.record({ duckdb: newFile() })
  await gov.close()
  await recorder.begun
  await new Promise(setImmediate)
  process.off('warning', hear)
  assert.is(recorder.error, undefined)
  assert.equal(warnings, [])
})

test.run()
