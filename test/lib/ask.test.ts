import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type AskOptions, readAsk } from '../../lib/ask.js'
import { type Governor, open } from '../../lib/index.js'
import { virtual as anArena, isCoded, refusal, rejection, thrown } from './support.js'

const opened: Governor[] = []

/** Closed after all tests: what still waits keeps the process. */
function virtual(options?: Parameters<typeof anArena>[0]): Governor {
  const gov = anArena(options)
  opened.push(gov)
  return gov
}

test.after(async () => {
  await Promise.all(opened.map(gov => gov.close()))
})

test('a request that names no tier is of standard, or of the lowest where there is no such tier', () => {
  const order = (tiers: string[] | undefined, tier: string): boolean => {
    const gov = virtual(tiers === undefined ? {} : { tiers })
    const bucket = gov.bucket('a', { rate: 1, burst: 2 })
    bucket.tryTake(2)
    bucket.take(2).catch(refusal('ERR_FORELOCK_CLOSED'))
    bucket.refund(1)
    // Whoever passes the one that waits is of a higher tier.
    return bucket.tryTake(1, { tier }).ok
  }
  assert.is(order(undefined, 'standard'), false)
  assert.is(order(undefined, 'interactive'), true)
  assert.is(order(['low', 'high'], 'low'), false)
  assert.is(order(['low', 'high'], 'high'), true)
})

test('each option is read once, and the signal last', () => {
  const gov = virtual()
  const read: string[] = []
  const options = {}
  for (const name of ['signal', 'waitTimeout', 'workflow', 'tenant', 'tier'])
    Object.defineProperty(options, name, {
      enumerable: true,
      get() {
        read.push(name)
        return undefined
      }
    })
  gov.bucket('a', { rate: 1 }).take(1, options)
  assert.is(read.length, 5)
  assert.is(new Set(read).size, 5)
  assert.is(read.at(-1), 'signal')
})

test('a signal that an earlier getter aborts ends the request', async () => {
  const bucket = virtual().bucket('a', { rate: 1, burst: 2 })
  const controller = new AbortController()
  const options = {
    get tier() {
      controller.abort('in between')
      return 'critical'
    },
    signal: controller.signal
  }
  assert.is(await rejection(bucket.take(1, options)), 'in between')
  assert.is(bucket.peek().remaining, 2)
})

test('a getter that throws leaves its error and nothing else', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, burst: 2 })
  const error = new Error('mine')
  for (const name of ['tier', 'tenant', 'workflow', 'waitTimeout', 'signal']) {
    const options = Object.defineProperty({}, name, {
      enumerable: true,
      get() {
        throw error
      }
    })
    assert.is(await rejection(bucket.take(1, options)), error)
    if (name === 'waitTimeout' || name === 'signal') continue
    assert.is(
      thrown(() => bucket.tryTake(1, options)),
      error
    )
  }
  assert.is(bucket.peek().remaining, 2)
})

test('durations beyond any life are for ever, and what is none is refused', async () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 1, burst: 1 })
  bucket.tryTake()
  const waits = [1e15, Number.MAX_VALUE, Number.POSITIVE_INFINITY].map(waitTimeout => bucket.take(1, { waitTimeout }))
  gov.advance(10_000)
  assert.is((await Promise.all(waits)).length, 3)
  for (const waitTimeout of [-1, Number.NaN, '1', null, 1n] as never[])
    isCoded(await rejection(bucket.take(1, { waitTimeout })), 'ERR_FORELOCK_ARGUMENT')
})

test('a name of a tenant or workflow is any string of 1 to 4,096 code units', () => {
  const gov = open({ clock: 'virtual', capacity: { elements: 64 } })
  const bucket = gov.bucket('a', { rate: 1e6, burst: 1e6 })
  for (const name of ['\0', '\ud800', 'x'.repeat(4096)]) assert.is(bucket.tryTake(1, { tenant: name, workflow: name }).ok, true)
  for (const name of ['', 'x'.repeat(4097), 1, null] as never[]) {
    isCoded(
      thrown(() => bucket.tryTake(1, { tenant: name })),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test('without options nothing is read, and the terms are those of the environment', () => {
  const plain = { tier: 1, tenant: 0, workflow: 0, timeout: Number.POSITIVE_INFINITY, signal: undefined }
  const session = { plainAsk: plain } as never
  assert.is(readAsk(undefined, [], 'x()', session), plain)
  assert.is(readAsk(undefined as AskOptions | undefined, ['tier'], 'x()', session), plain)
})

test.run()
