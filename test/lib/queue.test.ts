import { inspect } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, type Item, open, type Queue } from '../../lib/index.js'
import { aborted, isCoded, isSettled, macrotask, refusal, rejection, thrown, virtual } from './support.js'

const textOf = (item: Item | null) => (item === null ? null : Buffer.from(item.data).toString())

/** The texts of all that waits, acknowledged. */
function drain(queue: Queue): string[] {
  const texts: string[] = []
  for (let item = queue.poll(); item !== null; item = queue.poll()) {
    texts.push(String(textOf(item)))
    assert.is(item.ack(), true)
  }
  return texts
}

function small(gov: Governor): Queue {
  return gov.queue('small', { capacity: 2, maxBytes: 8 })
}

test('records come out as they went in, whatever they were given as', async () => {
  const gov = virtual()
  const queue = gov.queue('q')
  const bytes = Uint8Array.from({ length: 200 }, (_, i) => i)
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7)
  for (const data of [
    bytes,
    bytes.subarray(5, 9),
    new DataView(bytes.buffer, 2, 3),
    new Uint16Array([513]),
    shared,
    'žluť',
    '',
    new Uint8Array()
  ]) {
    assert.is(queue.offer(data), true)
  }
  const expected = [[...bytes], [5, 6, 7, 8], [2, 3, 4], [1, 2], [7, 7, 7], [...Buffer.from('žluť')], [], []]
  for (const want of expected) {
    const item = queue.poll()!
    assert.equal([...item.data], want)
    assert.ok(item.data instanceof Uint8Array)
    assert.is(item.ack(), true)
  }
  assert.is(queue.poll(), null)
  await gov.close()
})

test('the next item is taken as the one in hand is acknowledged, and null ends it', async () => {
  const gov = virtual()
  const queue = small(gov)
  queue.offer('a')
  queue.offer('b', { tier: 'critical' })
  const first = queue.poll()!
  assert.is(textOf(first), 'b')
  const second = first.next()!
  assert.is(textOf(second), 'a')
  assert.is(second.attempt, 1)
  assert.is(first.ack(), false)
  assert.ok(queue.offer('c'), 'there is room again')
  assert.is(first.next()?.next(), null, 'one that has ended only asks for the next, and so on')
  assert.is(second.ack(), true)
  assert.is(queue.offer('d') && queue.offer('e'), true)
  await gov.close()
})

test('a record whose successor was asked for is not delivered again, and one that is in hand still is', async () => {
  const gov = virtual()
  const queue = small(gov)
  queue.offer('a')
  queue.offer('b')
  const item = queue.poll()!.next()!
  assert.is(item.giveBack(), true)
  const again = item.next()!
  assert.equal([textOf(again), again.attempt], ['b', 2])
  assert.is(queue.poll(), null)
  assert.is(again.next(), null)
  await gov.close()
})

test('the next item serves who waits for room, and while the governor closes it acknowledges only', async () => {
  const gov = virtual()
  const queue = small(gov)
  queue.offer('a')
  queue.offer('b')
  const pushed = queue.push('c')
  await macrotask()
  assert.is(await isSettled(pushed), false)
  const item = queue.poll()!.next()!
  await pushed
  const closed = gov.close({ drain: 60_000 })
  await macrotask()
  assert.is(await isSettled(closed), false)
  isCoded(
    thrown(() => item.next()),
    'ERR_FORELOCK_CLOSED'
  )
  await closed
})

test("an item's data is its own: neither the giver nor the next record changes it", async () => {
  const gov = virtual()
  const queue = gov.queue('q')
  const given = Uint8Array.of(1, 2, 3)
  queue.offer(given)
  given[0] = 9
  const first = queue.poll()!
  first.ack()
  queue.offer(Uint8Array.of(4, 5, 6))
  const second = queue.poll()!
  assert.equal([...first.data], [1, 2, 3])
  assert.is.not(first.data.buffer, second.data.buffer)
  await gov.close()
})

test('higher tiers first, in order inside a tier; sizes say what waits', async () => {
  const gov = virtual()
  const queue = gov.queue('q')
  for (const [text, tier] of [
    ['s1', 'standard'],
    ['c1', 'critical'],
    ['b1', 'background'],
    ['c2', 'critical'],
    ['s2', undefined]
  ] as const) {
    queue.offer(text, { tier })
  }
  assert.is(queue.size, 5)
  assert.equal(queue.sizes, { background: 1, standard: 2, interactive: 0, critical: 2 })
  assert.is(queue.poll()?.tier, 'critical')
  assert.is(queue.size, 4)
  assert.equal(drain(queue), ['c2', 's1', 's2', 'b1'])
  await gov.close()
})

test('a full queue refuses; what is in hand takes room until it is acknowledged', async () => {
  const gov = virtual()
  const queue = small(gov)
  assert.is(queue.offer('a'), true)
  assert.is(queue.offer('b'), true)
  assert.is(queue.offer('c'), false)
  const item = queue.poll()!
  assert.is(queue.offer('c'), false)
  assert.is(item.ack(), true)
  assert.is(item.ack(), false)
  assert.is(item.giveBack(), false)
  assert.is(queue.offer('c'), true)
  assert.equal(drain(queue), ['b', 'c'])
  await gov.close()
})

test('what is given back comes first again, and counts its attempts', async () => {
  const gov = virtual()
  const queue = gov.queue('q')
  for (const text of ['a', 'b']) queue.offer(text)
  const first = queue.poll()!
  assert.is(first.attempt, 1)
  assert.is(first.giveBack(), true)
  assert.is(first.ack(), false)
  const again = queue.poll()!
  assert.is(textOf(again), 'a')
  assert.is(again.attempt, 2)
  again[Symbol.dispose]()
  assert.is(queue.poll()?.attempt, 3)
  await gov.close()
})

test('take() waits for a record; those who wait are served in their order, and before poll()', async () => {
  const gov = virtual()
  const queue = gov.queue('q')
  const takes = [queue.take(), queue.take(), queue.take()]
  assert.is(await isSettled(takes[0]!), false)
  queue.offer('a')
  queue.offer('b')
  assert.is(queue.poll(), null)
  assert.is(textOf(await takes[0]!), 'a')
  assert.is(textOf(await takes[1]!), 'b')
  assert.is(await isSettled(takes[2]!), false)
  queue.offer('c')
  assert.is(textOf(await takes[2]!), 'c')
  queue.offer('d')
  assert.is(textOf(await queue.take()), 'd')
  await gov.close()
})

test('push() waits for room, in order of arrival and tier, with the data of the moment of the call', async () => {
  const gov = virtual()
  const queue = small(gov)
  await queue.push('a')
  await queue.push('b')
  const data = Uint8Array.of(99)
  const low = queue.push(data)
  const high = queue.push('d', { tier: 'critical' })
  data[0] = 0
  assert.is(await isSettled(low), false)
  const [first, second] = [queue.poll()!, queue.poll()!]
  first.ack()
  assert.is(await high, undefined)
  assert.is(await isSettled(low), false)
  assert.is(queue.offer('e'), false)
  second.ack()
  await low
  assert.equal(drain(queue), ['d', 'c'])
  await gov.close()
})

test('a wait ends by its signal, by its time, or at once when it may not wait', async () => {
  const gov = virtual()
  const queue = small(gov)
  const reason = new Error('enough')
  const controller = new AbortController()
  const aborted = queue.take({ signal: controller.signal })
  const timed = queue.take({ waitTimeout: 100 })
  controller.abort(reason)
  assert.is(await rejection(aborted), reason)
  gov.advance(100)
  const late = await rejection(timed)
  isCoded(late, 'ERR_FORELOCK_TIMEOUT')
  assert.is(late.waitedMs, 100)
  isCoded(await rejection(queue.take({ waitTimeout: 0 })), 'ERR_FORELOCK_TIMEOUT')
  assert.is(await rejection(queue.take({ signal: AbortSignal.abort(reason) })), reason)
  await queue.push('a', { waitTimeout: 0 })
  queue.offer('b')
  isCoded(await rejection(queue.push('c', { waitTimeout: 0 })), 'ERR_FORELOCK_TIMEOUT')
  const pushed = queue.push('c', { waitTimeout: 50 })
  gov.advance(50)
  isCoded(await rejection(pushed), 'ERR_FORELOCK_TIMEOUT')
  assert.equal(drain(queue), ['a', 'b'])
  queue.offer('d')
  assert.is(textOf(await queue.take({ signal: controller.signal }).catch(() => queue.poll())), 'd')
  await gov.close()
})

test('iteration takes records until the governor closes; leaving it in the middle gives the last one back', async () => {
  const gov = virtual()
  const queue = gov.queue('q')
  for (const text of ['a', 'b', 'c']) queue.offer(text)
  const seen: string[] = []
  for await (const item of queue) {
    seen.push(String(textOf(item)))
    if (seen.length === 2) break
    item.ack()
  }
  assert.equal(seen, ['a', 'b'])
  assert.is(queue.size, 2)
  const rest: [string | null, number][] = []
  const loop = (async () => {
    for await (const item of queue) {
      rest.push([textOf(item), item.attempt])
      item.ack()
    }
  })()
  for (let turn = 0; rest.length < 2 && turn < 100; turn++) await macrotask()
  await gov.close()
  await loop
  assert.equal(rest, [
    ['b', 2],
    ['c', 1]
  ])
})

test('a loop that is left while it waits is over at once and takes no record for nobody', async () => {
  const gov = virtual()
  const queue = small(gov)
  const records = queue[Symbol.asyncIterator]()
  const next = records.next()
  await macrotask()
  const left = records.return()
  const over = { done: true, value: undefined }
  assert.equal(await next, over)
  assert.equal(await left, over)
  queue.offer('a')
  assert.is(queue.size, 1)

  // The record is there before the loop has heard of it, and nobody will.
  const others = queue[Symbol.asyncIterator]()
  const first = others.next()
  await Promise.all([others.return(), first])
  assert.is(queue.size, 1)
  const item = queue.poll()
  assert.is(textOf(item), 'a')
  assert.equal(await others.next(), over)
})

test('bad arguments are refused before anything happens', async () => {
  const gov = virtual()
  const queue = small(gov)
  const detached = new Uint8Array(4)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  // The library of the language that is compiled against does not know of buffers that change their length.
  const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer & { resize(length: number): void }
  const shrunk = new Resizable(8, { maxByteLength: 8 })
  const beyond = new Uint8Array(shrunk, 4, 4)
  shrunk.resize(2)
  for (const data of [
    undefined,
    null,
    5,
    {},
    [],
    new ArrayBuffer(2),
    Object.create(Uint8Array.prototype),
    detached, // it has no bytes any more: as an empty record they would be lost
    beyond, // nor has this
    'nine byte',
    new Uint8Array(9)
  ]) {
    isCoded(
      thrown(() => queue.offer(data as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
    isCoded(await rejection(queue.push(data as never)), 'ERR_FORELOCK_ARGUMENT')
  }
  assert.equal(drain(queue), [])
  const lies = new Uint8Array(2)
  Object.defineProperty(lies, 'byteLength', { value: 1e9 })
  Object.defineProperty(lies, 'length', { value: 1e9 })
  assert.is(queue.offer(lies), true)
  assert.is(queue.poll()?.data.length, 2)
  for (const options of [5, { tier: 'none' }, { teir: 'standard' }, { signal: undefined }]) {
    isCoded(
      thrown(() => queue.offer('a', options as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  for (const options of [5, { tier: 'standard' }, { waitTimeout: -1 }, { signal: {} }]) {
    isCoded(await rejection(queue.take(options as never)), 'ERR_FORELOCK_ARGUMENT')
  }
  for (const options of [
    { capacity: 0 },
    { capacity: 1.5 },
    { capacity: 2 ** 21 },
    { maxBytes: 0 },
    { maxBytes: 2 ** 21 },
    { size: 5 },
    5
  ]) {
    isCoded(
      thrown(() => gov.queue('x', options as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  isCoded(
    thrown(() => gov.queue(5 as never)),
    'ERR_FORELOCK_ARGUMENT'
  )
  await gov.close()
})

test('a queue is what its first opener made it; its name is its own', async () => {
  const gov = virtual()
  const queue = gov.queue('q', { capacity: 3, maxBytes: 100 })
  const same = gov.queue('q')
  assert.is(same.capacity, 3)
  assert.is(same.maxBytes, 100)
  gov.queue('q', { maxBytes: 100 })
  queue.offer('a')
  assert.equal(drain(same), ['a'])
  const error = thrown(() => gov.queue('q', { capacity: 4 }))
  isCoded(error, 'ERR_FORELOCK_CONFIG')
  assert.equal([error.option, error.stored, error.given], ['capacity', 3, 4])
  assert.is(thrown(() => gov.queue('q', { capacity: 3, maxBytes: 99 })).option, 'maxBytes')
  const other = gov.queue('other')
  assert.equal([other.capacity, other.maxBytes], [1024, 1024])
  const lock = gov.lock('q').tryAcquire()
  assert.ok(lock)
  gov.queue('q').take().catch(refusal('ERR_FORELOCK_CLOSED'))
  assert.is(gov.inspect('q').length, 1) // only the lock of that name
  await gov.close()
})

test('a queue for which there is no room is refused, and its name can be used with less', async () => {
  const gov = virtual({ capacity: { memory: 2 ** 16 } })
  const error = thrown(() => gov.queue('q', { capacity: 1000, maxBytes: 1000 }))
  isCoded(error, 'ERR_FORELOCK_CAPACITY')
  assert.is(error.option, 'capacity.memory')
  const queue = gov.queue('q', { capacity: 10 })
  assert.is(queue.offer('a'), true)
  await gov.close()
})

test('closing settles what waits; afterwards nothing is let in, and an item has ended', async () => {
  const gov = virtual()
  const queue = small(gov)
  const took = queue.take()
  queue.offer('a')
  const item = await took
  const waits = [queue.take(), queue.take({ waitTimeout: 50 })]
  const full = gov.queue('full', { capacity: 1 })
  full.offer('x')
  waits.push(full.push('y') as never)
  await gov.close()
  for (const wait of waits) {
    const error = await rejection(wait)
    isCoded(error, 'ERR_FORELOCK_CLOSED')
    assert.match(error.message, /^"(small|full)": the governor is closed/)
  }
  for (const call of [() => queue.offer('a'), () => queue.poll(), () => queue.size, () => gov.queue('q')]) {
    isCoded(thrown(call), 'ERR_FORELOCK_CLOSED')
  }
  isCoded(await rejection(queue.take()), 'ERR_FORELOCK_CLOSED')
  isCoded(await rejection(queue.push('a')), 'ERR_FORELOCK_CLOSED')
  assert.is(item.ack(), false)
})

test('close({ drain }) lets items in hand end', async () => {
  const gov = open({ fresh: true, autoEnclose: false })
  const queue = gov.queue('q')
  queue.offer('a')
  const item = queue.poll()!
  const closing = gov.close({ drain: 60_000 })
  assert.is(await isSettled(closing), false)
  assert.is(item.ack(), true)
  await closing
})

test('many waits, offers and aborts in one thread lose nothing', async () => {
  const gov = virtual()
  const queue = gov.queue('q', { capacity: 8, maxBytes: 16 })
  const total = 3000
  const got: number[] = []
  const consume = async () => {
    for (;;) {
      const item = await queue.take()
      const number = Number(textOf(item))
      if (number % 7 === 0 && item.attempt === 1) {
        item.giveBack()
        continue
      }
      item.ack()
      if (number < 0) return
      got.push(number)
      if (number % 5 === 0) {
        const controller = new AbortController()
        queue.take({ signal: controller.signal }).then(item => item.giveBack(), aborted)
        controller.abort()
      }
    }
  }
  const consumers = [consume(), consume(), consume()]
  await Promise.all(Array.from({ length: total }, (_, i) => queue.push(String(i))))
  for (const _ of consumers) await queue.push('-1')
  await Promise.all(consumers)
  assert.equal(
    got.sort((a, b) => a - b),
    Array.from({ length: total }, (_, i) => i)
  )
  assert.is(queue.size, 0)
  const counters = gov.counters()
  for (const name of ['takeovers', 'rescans', 'probeHandoffs']) assert.is(counters[name], 0, name)
  await gov.close()
})

test('in a log it is what it is, and no byte of what it carried', () => {
  const queue = virtual().queue('jobs', { capacity: 8, maxBytes: 4_096 })
  queue.offer('secret')
  const short = { name: 'jobs', capacity: 8, maxBytes: 4_096, arena: '' }
  assert.equal(JSON.parse(JSON.stringify(queue)), short)
  assert.is(inspect({ queue }), inspect({ queue: short }))
})

test.run()
