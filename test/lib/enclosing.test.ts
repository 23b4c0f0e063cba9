import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open } from '../../lib/index.js'
import { isCoded, rejection, thrown, virtual } from './support.js'

// How long a wait must last before the arena looks for a cycle, with room to spare.
const DETECTED_MS = 200

test("two waits within each other's grants are a deadlock: the younger is refused and told the cycle", async () => {
  const gov = virtual()
  const a = gov.lock('a')
  const b = gov.lock('b')
  const holdsA = a.tryAcquire()!
  const holdsB = b.tryAcquire()!
  const older = b.acquire({ within: holdsA })
  gov.advance(1)
  const younger = a.acquire({ within: holdsB })
  gov.advance(DETECTED_MS)
  const error = await rejection(younger)
  isCoded(error, 'ERR_FORELOCK_DEADLOCK')
  assert.is(error.resource, 'a')
  assert.match(error.cycle, /a/)
  assert.match(error.cycle, /b/)
  holdsB.release()
  assert.ok(await older)
})

test('outer grants count too: a cycle through the grant that encloses the enclosing one is found', async () => {
  const gov = virtual()
  const [a, b, c] = ['a', 'b', 'c'].map(name => gov.lock(name)) as [
    ReturnType<typeof gov.lock>,
    ReturnType<typeof gov.lock>,
    ReturnType<typeof gov.lock>
  ]
  const outer = a.tryAcquire()!
  const inner = b.tryAcquire({ within: outer })!
  const other = c.tryAcquire()!
  const older = c.acquire({ within: inner })
  gov.advance(1)
  const younger = a.acquire({ within: other })
  gov.advance(DETECTED_MS)
  isCoded(await rejection(younger), 'ERR_FORELOCK_DEADLOCK')
  other.release()
  assert.ok(await older)
})

test('a wait for a lock within its own grant is a deadlock of one', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const grant = lock.tryAcquire()!
  const again = lock.acquire({ within: [grant] })
  gov.advance(DETECTED_MS)
  isCoded(await rejection(again), 'ERR_FORELOCK_DEADLOCK')
  assert.is(grant.release(), true)
})

test('grants that were ended do not count', async () => {
  const gov = virtual()
  const a = gov.lock('a')
  const b = gov.lock('b')
  const ended = a.tryAcquire()!
  ended.release()
  const holdsA = a.tryAcquire()!
  const holdsB = b.tryAcquire()!
  const one = b.acquire({ within: ended })
  const two = a.acquire({ within: holdsB })
  gov.advance(DETECTED_MS)
  holdsA.release()
  ;(await two).release()
  holdsB.release()
  assert.ok(await one)
})

test('without enclosing, waits on each other are no cycle: they end by their timeouts', async () => {
  const gov = virtual()
  const a = gov.lock('a')
  const b = gov.lock('b')
  a.tryAcquire()
  b.tryAcquire()
  const waits = [b.acquire({ waitTimeout: 1000 }), a.acquire({ waitTimeout: 1000 })]
  gov.advance(1000)
  for (const wait of waits) isCoded(await rejection(wait), 'ERR_FORELOCK_TIMEOUT')
})

test('with autoEnclose, a wait in a callback belongs to the grants around it', async () => {
  const gov = virtual({ autoEnclose: true })
  const a = gov.lock('a')
  const b = gov.lock('b')
  let inA!: () => void
  let inB!: () => void
  const bothHeld = Promise.all([new Promise<void>(resolve => (inA = resolve)), new Promise<void>(resolve => (inB = resolve))])
  const older = a.with(async () => {
    inA()
    await bothHeld
    return b.with(() => 'older')
  })
  const younger = b.with(async () => {
    inB()
    await bothHeld
    await null
    gov.advance(1)
    return a.with(() => 'younger')
  })
  await bothHeld
  const refused = rejection(younger)
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(resolve => setImmediate(resolve))
    gov.advance(DETECTED_MS)
  }
  isCoded(await refused, 'ERR_FORELOCK_DEADLOCK')
  assert.is(await older, 'older')
})

test('more enclosing grants than the arena keeps are no error', async () => {
  const gov = virtual()
  const chain = [gov.lock('0').tryAcquire()!]
  for (let i = 1; i < 30; i++) chain.push(gov.lock(String(i)).tryAcquire({ within: chain[i - 1]! })!)
  const other = gov.lock('other').tryAcquire()!
  const waiting = gov.lock('other').acquire({ within: chain, waitTimeout: 1000 })
  gov.advance(1)
  other.release()
  ;(await waiting).release()
  for (const grant of chain) grant.release()
})

test('who holds what a higher tier waits for inherits that tier for its own waits', async () => {
  const gov = virtual()
  const [x, y] = [gov.lock('x'), gov.lock('y')]
  const holdsX = x.tryAcquire({ tier: 'background' })!
  const holdsY = y.tryAcquire()!
  const order: string[] = []
  const waits = [
    y.acquire({ tier: 'interactive' }).then(grant => {
      order.push('interactive')
      grant.release()
    }),
    y.acquire({ tier: 'background', within: holdsX }).then(grant => {
      order.push('background, for the critical one')
      grant.release()
      holdsX.release()
    }),
    x.acquire({ tier: 'critical' }).then(grant => {
      order.push('critical')
      grant.release()
    })
  ]
  gov.advance(DETECTED_MS)
  holdsY.release()
  await Promise.all(waits)
  assert.is(order[0], 'background, for the critical one')
})

test('a grant of another arena, or what is no grant, is refused', async () => {
  const lock = virtual().lock('a')
  const foreign = virtual().lock('a').tryAcquire()!
  isCoded(await rejection(lock.acquire({ within: foreign })), 'ERR_FORELOCK_ARGUMENT')
  for (const within of [1, 'a', null, {}, [null], [lock], lock] as never[]) {
    isCoded(
      thrown(() => lock.tryAcquire({ within })),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test('without autoEnclose no AsyncLocalStorage is ever used', async () => {
  const { run, getStore, enterWith } = AsyncLocalStorage.prototype
  const used = () => assert.unreachable('an AsyncLocalStorage was used')
  Object.assign(AsyncLocalStorage.prototype, { run: used, getStore: used, enterWith: used })
  try {
    const gov = open({ fresh: true, autoEnclose: false })
    const lock = gov.lock('a')
    await lock.with(async grant => {
      const waiting = lock.acquire({ within: grant, waitTimeout: 1 })
      await rejection(waiting)
    })
    lock.tryAcquire()?.release()
    await gov.close()
  } finally {
    Object.assign(AsyncLocalStorage.prototype, { run, getStore, enterWith })
  }
})

test('a chain of hand-over-hand grants does not keep its ended links alive', async () => {
  const gov = virtual()
  let grant = gov.lock('0').tryAcquire()!
  const first = new WeakRef(grant)
  for (let i = 1; i < 5; i++) {
    const next = gov.lock(String(i)).tryAcquire({ within: grant })!
    grant.release()
    grant = next
  }
  const collect = await garbageCollector()
  await new Promise(resolve => setImmediate(resolve))
  collect()
  assert.is(first.deref(), undefined)
  grant.release()
})

async function garbageCollector(): Promise<() => void> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

test.run()
