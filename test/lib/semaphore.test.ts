import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Allocation, type Governor, open, type Semaphore } from '../../lib/index.js'
import { isCoded, isSettled, rejection, thrown, virtual } from './support.js'

test('a semaphore gives so many permits, and the next when one comes back', async () => {
  const semaphore = virtual().semaphore('exports', 2)
  const held = [semaphore.tryAcquire(), semaphore.tryAcquire()] as Allocation[]
  assert.is(semaphore.tryAcquire(), null)
  assert.is(semaphore.available, 0)
  const waiting = semaphore.acquire()
  assert.is(await isSettled(waiting), false)
  held[0]?.release()
  const next = await waiting
  assert.equal(next.amounts, { permits: 1 })
  assert.is(next.name, 'exports')
  next.release()
  assert.equal([semaphore.permits, semaphore.available], [2, 1])
})

test('several permits are taken together, and more than there are never', async () => {
  const semaphore = virtual().semaphore('a', 4)
  const three = semaphore.tryAcquire(3) as Allocation
  assert.is(semaphore.tryAcquire(2), null)
  three.release()
  assert.ok(semaphore.tryAcquire(4))
  isCoded(
    thrown(() => semaphore.tryAcquire(5)),
    'ERR_FORELOCK_EXCEEDS'
  )
  isCoded(await rejection(semaphore.acquire(5)), 'ERR_FORELOCK_EXCEEDS')
})

test('waiters are served by tier, then in the order in which they came', async () => {
  const semaphore = virtual().semaphore('a', 1)
  const held = semaphore.tryAcquire() as Allocation
  const order: number[] = []
  const all = ['background', 'standard', 'standard', 'critical'].map(async (tier, i) => {
    using _ = await semaphore.acquire(1, { tier })
    order.push(i)
  })
  held.release()
  await Promise.all(all)
  assert.equal(order, [3, 1, 2, 0])
})

test('a wait ends by its timeout, its signal, or close()', async () => {
  const gov = virtual()
  const semaphore = gov.semaphore('a', 1)
  semaphore.tryAcquire()
  const controller = new AbortController()
  const aborted = semaphore.acquire(1, { signal: controller.signal })
  const late = semaphore.acquire(1, { waitTimeout: 5 })
  const closed = semaphore.acquire()
  controller.abort('over')
  assert.is(await rejection(aborted), 'over')
  gov.advance(5)
  isCoded(await rejection(late), 'ERR_FORELOCK_TIMEOUT')
  await gov.close()
  isCoded(await rejection(closed), 'ERR_FORELOCK_CLOSED')
})

test('resize changes how many there are for all: more serves who waits, fewer waits for those who hold', async () => {
  const gov = open({ fresh: true })
  const other = open({ handle: gov.handle })
  const semaphore = gov.semaphore('a', 1)
  const held = [semaphore.tryAcquire()] as Allocation[]
  const waiting = other.semaphore('a').acquire()
  semaphore.resize(2)
  held.push(await waiting)
  semaphore.resize(0)
  assert.equal([semaphore.permits, semaphore.available], [0, 0])
  for (const one of held) one.release()
  const next = semaphore.acquire(1)
  semaphore.resize(1)
  assert.ok(await next)
  await other.close()
  await gov.close()
})

test('with() holds a permit while its callback runs, and gives it back when that throws', async () => {
  const semaphore = virtual().semaphore('a', 1)
  assert.is(await semaphore.with(() => semaphore.available), 0)
  const error = new Error('no')
  assert.is(
    await rejection(
      semaphore.with(
        () => {
          throw error
        },
        { tier: 'critical' }
      )
    ),
    error
  )
  assert.is(semaphore.available, 1)
  isCoded(await rejection(semaphore.with(1 as never)), 'ERR_FORELOCK_ARGUMENT')
})

test('another number of permits is a ConfigError that points to resize(); a pool of other dimensions is no semaphore', () => {
  const gov = virtual()
  gov.semaphore('a', 2)
  const error = thrown(() => gov.semaphore('a', 3))
  isCoded(error, 'ERR_FORELOCK_CONFIG')
  assert.match(error.message, 'resize()')
  assert.is(gov.semaphore('a').permits, 2)
  assert.equal(gov.pool('a').capacity, { permits: 2 })
  gov.pool('host', { capacity: { cpu: 1 } })
  for (const permits of [undefined, 1])
    isCoded(
      thrown(() => gov.semaphore('host', permits)),
      'ERR_FORELOCK_CONFIG'
    )
  isCoded(
    thrown(() => gov.semaphore('none')),
    'ERR_FORELOCK_NOT_FOUND'
  )
})

test('what is no number of permits is refused', () => {
  const gov = virtual()
  const semaphore = gov.semaphore('a', 2)
  for (const permits of [-1, 0.5, Number.NaN, 2 ** 54, '1', null, {}] as never[]) {
    for (const call of [() => gov.semaphore('b', permits), () => semaphore.resize(permits)]) {
      const error = thrown(call)
      isCoded(error, 'ERR_FORELOCK_ARGUMENT')
      assert.is(error.option, 'permits')
    }
  }
  for (const n of [0, -1, Number.NaN, '1', null] as never[])
    isCoded(
      thrown(() => semaphore.tryAcquire(n)),
      'ERR_FORELOCK_ARGUMENT'
    )
  assert.is(semaphore.available, 2)
})

const AIMD = { algorithm: 'aimd', window: 100, samples: 2, jitter: 0 } as const

/** Work of 60 ms with all permits in use, twice: the end of a window. */
async function window(gov: Governor, semaphore: Semaphore, end: 'success' | 'drop' = 'success'): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const held = await Promise.all(Array.from({ length: semaphore.permits }, () => semaphore.acquire()))
    gov.advance(60)
    for (const one of held) one[end]()
  }
}

test('an adapting semaphore in shadow reports what it would do and changes nothing', async () => {
  const gov = virtual()
  const semaphore = gov.semaphore('a', 4, { adapt: AIMD })
  await window(gov, semaphore)
  assert.is(semaphore.permits, 4)
  assert.is(semaphore.limit?.mode, 'shadow')
  assert.is(semaphore.limit?.proposed, 5)
  assert.is(semaphore.limit?.inFlight, 4)
})

test('switched on, success raises the permits of all, a drop lowers them, and who waits gets what was added', async () => {
  const gov = virtual()
  const semaphore = gov.semaphore('a', 4, { adapt: { ...AIMD, backoff: 0.5 } })
  semaphore.setMode('on')
  const held = await Promise.all(Array.from({ length: 4 }, () => semaphore.acquire()))
  gov.advance(200)
  const waiting = Array.from({ length: 3 }, () => semaphore.acquire())
  for (const one of held.slice(0, 2)) one.success()
  assert.is(semaphore.permits, 5)
  assert.is((await Promise.all(waiting)).length, 3)
  await window(gov, gov.semaphore('b', 4, { adapt: { ...AIMD, mode: 'on', backoff: 0.5 } }), 'drop')
  assert.is(gov.semaphore('b').permits, 2)
})

test('however often it is asked for, a semaphore adapts by one limit; what was learnt is no conflict with the number at the start', async () => {
  const gov = virtual()
  const options = { adapt: { ...AIMD, mode: 'on' } } as const
  await window(gov, gov.semaphore('a', 4, options))
  const again = gov.semaphore('a', 4, options)
  assert.is(again.permits, 5)
  assert.is(again.limit?.windows, 1)
  assert.is(gov.semaphore('a').limit?.windows, 1)
  isCoded(
    thrown(() => gov.semaphore('a', 4, { adapt: { algorithm: 'gradient2' } })),
    'ERR_FORELOCK_CONFIG'
  )
})

test('without adapt there is no limit to read or switch, and a wrong option is refused', () => {
  const semaphore = virtual().semaphore('a', 4)
  assert.is(semaphore.limit, undefined)
  isCoded(
    thrown(() => semaphore.setMode('on')),
    'ERR_FORELOCK_ARGUMENT'
  )
  for (const options of [{ adapt: null }, { adapt: {} }, { adapts: AIMD }, 1] as never[]) {
    isCoded(
      thrown(() => virtual().semaphore('a', 4, options)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test('an allocation that ends after the governor closed is not learnt from, and is no error', async () => {
  const gov = virtual()
  const semaphore = gov.semaphore('a', 4, { adapt: { ...AIMD, mode: 'on' } })
  const held = await semaphore.acquire()
  await gov.close()
  assert.is(held.release(), false)
})

test.run()
