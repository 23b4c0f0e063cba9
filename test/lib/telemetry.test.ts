import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  decodeNotes,
  decodeRecord,
  type Governor,
  NOTE_BYTES_MAX,
  open,
  RECORD_BYTES,
  type TelemetryRecord,
  unlink
} from '../../lib/index.js'
import { Agent } from './agents.js'
import { aborted, isCoded, macrotask, rejection, thrown, virtual } from './support.js'

const CHANNELS = ['request', 'grant', 'refusal', 'abort', 'end'].map(name => `forelock:${name}`)

function drain(gov: Governor, records = 1024): TelemetryRecord[] {
  const buffer = new Uint8Array(records * RECORD_BYTES)
  const count = gov.telemetry.drain(buffer)
  return Array.from({ length: count }, (_, i) => decodeRecord(buffer, i * RECORD_BYTES))
}

async function governed(options: Parameters<typeof virtual>[0], body: (gov: Governor) => unknown) {
  const gov = virtual(options)
  try {
    await body(gov)
  } finally {
    await gov.close()
  }
}

test('nothing is recorded before somebody attaches, nor after they have detached', () =>
  governed({}, gov => {
    gov.lock('a').tryAcquire()?.release()
    gov.telemetry.attach()
    assert.ok(gov.telemetry.attached)
    assert.equal(drain(gov), [])
    gov.telemetry.detach()
    gov.lock('a').tryAcquire()?.release()
    assert.equal(drain(gov), [])
  }))

test("what a record is about has its name, until its place is another's", () =>
  governed({ capacity: { elements: 64 } }, gov => {
    gov.telemetry.attach()
    gov.lock('a').tryAcquire()?.release()
    gov.bucket('b', { rate: 1 }).tryTake()
    const [lock, , bucket] = drain(gov)
    assert.equal([gov.telemetry.element(lock), gov.telemetry.element(bucket)], ['a', 'b'])
    for (let i = 0; i < 1000; i++) {
      gov.lock(`other ${i}`).tryAcquire()?.release()
      gov.advance(1000)
    }
    assert.is(gov.telemetry.element(lock), undefined)
    assert.is(gov.telemetry.element({ element: 1e9, generation: 0 }), undefined)
    isCoded(
      thrown(() => gov.telemetry.element({} as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }))

test('a grant and its end say who, what, how long and how', () =>
  governed({}, gov => {
    gov.telemetry.attach()
    const lock = gov.lock('a')
    const grant = lock.tryAcquire({ tier: 'interactive', workflow: 'checkout', tenant: 'acme', client: 'c1' })
    gov.advance(5)
    grant?.ignore()
    const [granted, ended] = drain(gov)
    assert.is(granted.event, 'grant')
    assert.is(ended.event, 'end')
    assert.is(ended.outcome, 'ignored')
    assert.is(ended.held, 5e6)
    assert.is(ended.time - granted.time, 5e6)
    assert.not(ended.coarse)
    for (const record of [granted, ended]) {
      assert.is(record.kind, 'lock')
      assert.is(record.tier, gov.tiers.indexOf('interactive'))
      const names = gov.telemetry.names([record.workflow, record.tenant, record.client, 0, 2 ** 32 - 1])
      assert.equal([...names.values()], ['checkout', 'acme', 'c1'])
    }
  }))

test('of a lock it is said whether it was asked for, and had, beside others', () =>
  governed({}, async gov => {
    gov.telemetry.attach()
    const lock = gov.lock('a')
    const seen = () => drain(gov).map(({ event, shared }) => `${event}${shared ? ' shared' : ''}`)
    const first = lock.tryAcquire({ mode: 'shared' })
    assert.is(lock.tryAcquire(), null)
    first?.release()
    assert.equal(seen(), ['grant shared', 'refusal', 'end shared'])
    const held = lock.tryAcquire()
    assert.is(lock.tryAcquire({ mode: 'shared' }), null)
    const waiting = lock.acquire({ mode: 'shared' })
    const given = new AbortController()
    const givenUp = lock.acquire({ mode: 'shared', signal: given.signal }).then(() => assert.unreachable(), aborted)
    given.abort()
    await givenUp
    held?.release()
    const second = await waiting
    second.release()
    const said = ['grant', 'refusal shared', 'request shared', 'request shared', 'abort shared', 'end', 'grant shared', 'end shared']
    assert.equal(seen(), said)
    gov
      .pool('p', { capacity: { slots: 1 } })
      .tryAllocate({ slots: 1 })
      ?.release()
    assert.equal(seen(), ['grant', 'end'])
  }))

test('names given to a lock are of all its requests, and those of a request come first', () =>
  governed({}, async gov => {
    gov.telemetry.attach()
    const lock = gov.lock('a', { workflow: 'w', tenant: 't' })
    const first = await lock.acquire()
    const second = lock.acquire({ workflow: 'other' })
    first.release()
    const third = await second
    third.drop()
    lock.tryAcquire()?.release()
    const word = (id: number) => gov.telemetry.names([id]).get(id)
    const seen = drain(gov).map(({ event, workflow, tenant }) => `${event} ${word(workflow)} ${word(tenant)}`)
    assert.equal(seen, ['grant w t', 'request other t', 'end w t', 'grant other t', 'end other t', 'grant w t', 'end w t'])
  }))

test('a lock handed on inside of its environment is recorded with the wait, and who asked', async () => {
  const gov = open({ fresh: true })
  gov.telemetry.attach()
  const lock = gov.lock('a')
  const held = await lock.acquire({ workflow: 'first' })
  const waiting = lock.acquire({ workflow: 'second' })
  assert.equal(
    gov.telemetry.drain(new Uint8Array(1024)), // of the second nothing yet: it waits outside of the arena
    1
  )
  await macrotask()
  held.release()
  ;(await waiting).release()
  const [end, grant, last] = drain(gov)
  assert.equal([end.event, grant.event, last.event], ['end', 'grant', 'end'])
  assert.ok(grant.waited > 0)
  assert.is(grant.workflow, gov.telemetry.intern('second'))
  assert.is(last.workflow, grant.workflow)
  assert.is(end.workflow, gov.telemetry.intern('first'))
  await gov.close()
})

test('a wait says how long it was', () =>
  governed({}, async gov => {
    gov.telemetry.attach()
    const lock = gov.lock('a')
    const held = await lock.acquire()
    const waiting = lock.acquire()
    gov.advance(3)
    held.release()
    ;(await waiting).release()
    const grants = drain(gov).filter(record => record.event === 'grant')
    assert.equal(
      grants.map(record => record.waited),
      [0, 3e6]
    )
  }))

test('what was not granted says why', () =>
  governed({}, async gov => {
    const lock = gov.lock('a')
    const held = await lock.acquire({ ttl: 1000 })
    gov.telemetry.attach()
    assert.is(lock.tryAcquire(), null)
    const late = rejection(lock.acquire({ waitTimeout: 5 }))
    const controller = new AbortController()
    const given = rejection(lock.acquire({ signal: controller.signal }))
    gov.advance(10)
    controller.abort()
    await Promise.all([late, given])
    gov.advance(2000)
    const waits = await lock.acquire()
    waits.release()
    assert.is(held.ended || !held.release(), true)
    const seen = drain(gov).map(({ event, outcome }) => `${event} ${outcome}`)
    for (const expected of ['refusal busy', 'refusal timeout', 'abort success', 'reclaim expired'])
      assert.ok(seen.includes(expected), expected)
  }))

test('what overflows is counted, to the record', () =>
  governed({ capacity: { telemetry: 64 } }, gov => {
    gov.telemetry.attach()
    const lock = gov.lock('a')
    for (let i = 0; i < 100; i++) lock.tryAcquire()?.release()
    const records = drain(gov)
    assert.is(records.length, 64)
    assert.equal(gov.telemetry.lost(), { records: 136, notes: 0 })
  }))

test('two governors of one environment read each record, each', () =>
  governed({}, async gov => {
    const other = open({ handle: gov.handle })
    gov.telemetry.attach()
    other.telemetry.attach()
    gov.lock('a').tryAcquire()?.release()
    assert.is(drain(gov).length, 2)
    gov.telemetry.detach()
    other.lock('a').tryAcquire()?.release()
    assert.is(drain(other).length, 4)
    await other.close()
    gov.lock('a').tryAcquire()?.release()
    assert.is(drain(gov).length, 0)
  }))

test('records of four processes arrive, those of a killed one included', async () => {
  const name = `telemetry-${process.pid}`
  const gov = open({ name })
  try {
    gov.telemetry.attach()
    const agents = await Promise.all(Array.from({ length: 4 }, () => Agent.process({ name })))
    const rounds = 20
    for (const [i, agent] of agents.entries()) {
      for (let round = 0; round < rounds; round++) {
        const grant = agent.acquire(`lock-${i}`, { workflow: `agent-${i}` })
        await grant.done
        await agent.release(grant).done
      }
    }
    await agents[0].kill()
    const records = drain(gov, 4096)
    assert.is(gov.telemetry.lost().records, 0)
    for (let i = 0; i < 4; i++) {
      const id = gov.telemetry.intern(`agent-${i}`)
      const of = records.filter(record => record.workflow === id)
      assert.is(of.filter(record => record.event === 'grant').length, rounds)
      assert.is(of.filter(record => record.event === 'end').length, rounds)
      assert.is(new Set(of.map(record => record.participant)).size, 1)
    }
    await Promise.all(agents.slice(1).map(agent => agent.kill()))
  } finally {
    await gov.close()
    unlink(name, { force: true })
  }
})

test('an observer that ends without farewell does not leave the others recording', async () => {
  const gov = open({ fresh: true })
  const agent = await Agent.thread({ handle: gov.handle })
  await agent.observe().done
  assert.is(gov.telemetry.note('x', new Uint8Array(1)), true)
  await agent.kill()
  assert.is(gov.telemetry.note('x', new Uint8Array(1)), false)
  await gov.close()
})

test('an observer that is killed is found out by those who record, at the latest after one lap of their lane', async () => {
  const name = `observer-${process.pid}`
  const gov = open({ name, capacity: { telemetry: 64 } })
  try {
    const agent = await Agent.process({ name })
    await agent.observe().done
    assert.is(gov.telemetry.note('x', new Uint8Array(1)), true)
    await agent.kill()
    const lock = gov.lock('a')
    while (gov.telemetry.note('x', new Uint8Array(1))) {
      for (let i = 0; i < 64; i++) lock.tryAcquire()?.release()
      await macrotask() // the waker thread asks the kernel meanwhile
    }
  } finally {
    await gov.close()
    unlink(name, { force: true })
  }
})

test('notes come out as they went in', () =>
  governed({}, gov => {
    assert.is(gov.telemetry.note('usage', new Uint8Array(3)), false)
    gov.telemetry.attach()
    const bytes = Uint8Array.from({ length: NOTE_BYTES_MAX }, (_, i) => i % 251)
    assert.is(gov.telemetry.note('usage', bytes), true)
    assert.is(gov.telemetry.note('cost', bytes.subarray(5, 8)), true)
    const buffer = new DataView(new ArrayBuffer(16384), 16)
    const length = gov.telemetry.drainNotes(buffer)
    const notes = [...decodeNotes(buffer, length)]
    assert.equal(
      notes.map(note => gov.telemetry.names([note.kind]).get(note.kind)),
      ['usage', 'cost']
    )
    assert.equal(notes[0].bytes, bytes)
    assert.equal([...notes[1].bytes], [5, 6, 7])
    assert.is(gov.telemetry.drainNotes(buffer), 0)
  }))

test('buffers of any kind are filled where they are views, and refused where they are not', () =>
  governed({}, gov => {
    gov.telemetry.attach()
    gov.lock('a').tryAcquire()?.release()
    const detached = new Uint8Array(128)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    for (const bad of [undefined, null, 0, 'x', {}, [], new ArrayBuffer(64), new Uint8Array(63), detached, { byteLength: 64 }]) {
      isCoded(
        thrown(() => gov.telemetry.drain(bad as never)),
        'ERR_FORELOCK_ARGUMENT'
      )
      isCoded(
        thrown(() => gov.telemetry.drainNotes(bad as never)),
        'ERR_FORELOCK_ARGUMENT'
      )
      isCoded(
        thrown(() => decodeRecord(bad as never)),
        'ERR_FORELOCK_ARGUMENT'
      )
    }
    for (const size of [NOTE_BYTES_MAX + 1, 2 ** 20]) {
      isCoded(
        thrown(() => gov.telemetry.note('x', new Uint8Array(size))),
        'ERR_FORELOCK_ARGUMENT'
      )
    }
    for (const bad of ['', 1, null, 'x'.repeat(4097)]) {
      isCoded(
        thrown(() => gov.lock('a').tryAcquire({ workflow: bad as never })),
        'ERR_FORELOCK_ARGUMENT'
      )
    }
    for (const bad of [undefined, null, 5, {}, 'a', [{}]] as never[]) {
      isCoded(
        thrown(() => gov.telemetry.names(bad)),
        'ERR_FORELOCK_ARGUMENT'
      )
      isCoded(
        thrown(() => gov.telemetry.element(bad)),
        'ERR_FORELOCK_ARGUMENT'
      )
    }
    assert.is(gov.telemetry.drain(new Float64Array(8)), 1)
    assert.is(gov.telemetry.drain(new BigInt64Array(new SharedArrayBuffer(512), 64, 16)), 1)
    assert.is(gov.telemetry.drain(new DataView(new ArrayBuffer(64))), 0)
  }))

test('any bytes decode to a record', () => {
  const bytes = Uint8Array.from({ length: RECORD_BYTES }, () => 255)
  const record = decodeRecord(bytes)
  assert.is(record.event, 'unknown')
  assert.is(record.outcome, 'unknown')
  assert.is(record.kind, 'unknown')
  assert.equal([...decodeNotes(bytes, 64)], [])
  isCoded(
    thrown(() => decodeRecord(bytes, 1)),
    'ERR_FORELOCK_ARGUMENT'
  )
})

test('an arena without room for telemetry says so, and a closed governor too', async () => {
  const gov = virtual({ capacity: { telemetry: 0 } })
  isCoded(
    thrown(() => gov.telemetry.attach()),
    'ERR_FORELOCK_CAPACITY'
  )
  await gov.close()
  isCoded(
    thrown(() => gov.telemetry.attach()),
    'ERR_FORELOCK_CLOSED'
  )
  isCoded(
    thrown(() => gov.telemetry.note('x', new Uint8Array(1))),
    'ERR_FORELOCK_CLOSED'
  )
})

test('a name that there is no room for is none, is counted, and fails no request', () =>
  governed({ capacity: { elements: 8 } }, gov => {
    gov.telemetry.attach()
    for (let i = 0; i < 10; i++)
      gov
        .lock('a')
        .tryAcquire({ client: `c${i}` })
        ?.release()
    const clients = new Set(drain(gov).map(record => record.client))
    assert.is(clients.size, 5)
    assert.ok(clients.has(0))
    assert.is(gov.counters().namesLost, 6)
  }))

test('times are of the clock that was chosen, and go with the arena', async () => {
  const gov = open({ fresh: true })
  gov.telemetry.attach()
  isCoded(
    thrown(() => {
      gov.telemetry.clock = 'sundial' as never
    }),
    'ERR_FORELOCK_ARGUMENT'
  )
  for (const clock of ['monotonic', gov.telemetry.clock] as const) {
    gov.telemetry.clock = clock
    assert.is(gov.telemetry.clock, clock)
    const before = gov.now()
    gov.lock('a').tryAcquire()?.release()
    const after = gov.now()
    for (const record of drain(gov)) assert.ok(record.time >= before - 1e6 && record.time <= after + 1e6)
  }
  await gov.close()
})

test('traces are published to who subscribes, with names and reasons', () =>
  governed({}, async gov => {
    const seen: { channel: string; message: Record<string, unknown> }[] = []
    const note = (message: unknown, channel: string | symbol) => {
      seen.push({ channel: String(channel), message: message as Record<string, unknown> })
    }
    for (const channel of CHANNELS) subscribe(channel, note)
    try {
      const lock = gov.lock('a', { workflow: 'w' })
      const held = lock.tryAcquire()
      assert.is(lock.tryAcquire(), null)
      const waits = lock.acquire({ tenant: 't' })
      const late = rejection(lock.acquire({ waitTimeout: 1 }))
      const aborted = rejection(lock.acquire({ signal: AbortSignal.abort() }))
      gov.advance(2)
      await late
      await aborted
      held?.drop()
      ;(await waits).release()
    } finally {
      for (const channel of CHANNELS) unsubscribe(channel, note)
    }
    gov.lock('a').tryAcquire()?.release()
    const said = seen.map(({ channel, message }) => `${channel.slice(9)} ${message.reason ?? message.outcome ?? ''}`.trim())
    assert.equal(said, [
      'grant',
      'refusal busy',
      'request',
      'request',
      'refusal ERR_FORELOCK_TIMEOUT',
      'end dropped',
      'grant',
      'end success'
    ])
    const granted = seen.filter(({ channel }) => channel === 'forelock:grant')
    assert.is(granted[1].message.waitedMs, 2)
    assert.is(granted[1].message.tenant, 't')
    assert.is(granted[1].message.workflow, 'w')
    assert.is(granted[1].message.resource, 'a')
  }))

/** What stands in the records, in short. */
function told(gov: Governor): string[] {
  return drain(gov).map(({ event, kind, outcome, amount, waited, held }) =>
    [event, kind, outcome, amount, waited / 1e6, held / 1e6].join(' ')
  )
}

test('tokens that are taken, refused and waited for are told with their number', () =>
  governed({}, async gov => {
    gov.telemetry.attach()
    const bucket = gov.bucket('a', { rate: 1, burst: 3 })
    bucket.tryTake(2)
    bucket.tryTake(2)
    const waiting = bucket.take(2)
    gov.advance(1000)
    await waiting
    assert.equal(told(gov), [
      'grant bucket success 2 0 0',
      'refusal bucket busy 2 0 0',
      'request bucket success 2 0 0',
      'grant bucket success 2 1000 0'
    ])
  }))

test('units that are held are told with the largest part that they are of a dimension, how long, and how they ended', () =>
  governed({}, async gov => {
    gov.telemetry.attach()
    const pool = gov.pool('a', { capacity: { cpu: 4, memory: 100 } })
    const held = pool.tryAllocate({ cpu: 3, memory: 50 })
    assert.is(pool.tryAllocate({ cpu: 2 }), null)
    const waiting = pool.allocate({ cpu: 2 }, { tenant: 'acme' })
    gov.advance(5)
    held?.drop()
    const second = await waiting
    gov.advance(7)
    second.release()
    assert.throws(() => pool.tryAllocate({ cpu: 5 }))
    assert.equal(told(gov), [
      'grant pool success 0.75 0 0',
      'refusal pool busy 0.5 0 0',
      'request pool success 0.5 0 0',
      'end pool dropped 0.75 0 5',
      'grant pool success 0.5 5 0',
      'end pool success 0.5 0 7',
      'refusal pool never 1.25 0 0'
    ])
  }))

test('records of a queue that go in, are refused, come out and are done with are told', () =>
  governed({}, async gov => {
    gov.telemetry.attach()
    const queue = gov.queue('a', { capacity: 1, maxBytes: 8 })
    assert.is(queue.offer('one'), true)
    assert.is(queue.offer('two'), false)
    queue.poll()?.giveBack()
    queue.poll()?.ack()
    const seen = drain(gov).map(({ event, kind, outcome }) => `${event} ${kind} ${outcome}`)
    assert.equal(seen, [
      'grant room success',
      'refusal room busy',
      'grant queue success',
      'end queue ignored',
      'grant queue success',
      'end queue success'
    ])
  }))

test('the use of a plan is told by its number: a hold that was waited for, a reserve that was drawn on, an escalation', () =>
  governed({}, async gov => {
    gov.telemetry.attach()
    const lock = gov.lock('a')
    const bucket = gov.bucket('b', { rate: 10, burst: 10 })
    const number = (id: string) => {
      const [entry, version] = id.split('.').map(Number) as [number, number]
      return ((version << 10) | entry) >>> 0
    }
    const hold = gov.plans.write({ kind: 'hold', lock, tier: 'critical', from: 0, until: 1000 })
    lock.tryAcquire({ tier: 'critical', workflow: 'w' })?.release()
    const reserve = gov.plans.write({ kind: 'reserve', bucket, amount: 5, until: 60_000 })
    bucket.tryTake(1)
    gov.advance(2000)
    assert.is(bucket.tryTake(10).ok, true)
    const escalation = gov.plans.write({ kind: 'escalation', workflow: 'w', tier: 'critical', until: 60_000 })
    const held = lock.tryAcquire()
    const waiting = lock.acquire({ workflow: 'w' })
    held?.release()
    ;(await waiting).release()
    const uses = drain(gov).filter(({ event }) => event === 'plan')
    assert.equal(
      uses.map(({ plan, kind }) => `${plan} ${kind}`),
      [`${number(hold)} lock`, `${number(reserve)} bucket`, `${number(escalation)} lock`]
    )
    assert.is(gov.telemetry.names([uses[0]?.workflow ?? 0]).get(uses[0]?.workflow ?? 0), 'w')
  }))

test.run()
