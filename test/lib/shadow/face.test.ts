import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { AdmitParts, Allocation, Bucket } from '../../../lib/index.js'
import { isCoded, thrown, virtual } from '../support.js'

type Tokens = NonNullable<AdmitParts['tokens']>

test('an admission is granted where all its parts are, and waits for the longest of them', () => {
  const gov = virtual()
  const lock = gov.lock('a', { hold: 50 })
  const bucket = gov.bucket('b', { rate: 10, burst: 2 })
  const pool = gov.pool('p', { capacity: { cpu: 4 } })
  const parts = { pool: [pool, { cpu: 2 }], tokens: [[bucket, 1]], locks: [lock] } as const
  const free = gov.shadow.admit(parts)
  assert.equal([free.verdict, free.contention, free.wait], ['grant', 0, { p50: 0, p95: 0 }])
  assert.equal(
    free.parts.map(({ kind }) => kind),
    ['lock', 'pool', 'bucket']
  )
  lock.tryAcquire({ mode: 'shared', hold: 50 })
  bucket.tryTake(2)
  const busy = gov.shadow.admit(parts, { tier: 'interactive' })
  assert.equal([busy.verdict, busy.contention, busy.wait], ['wait', 1, { p50: 100, p95: 100 }])
  assert.is(busy.parts[0]?.tier, 'interactive')
  assert.is(gov.shadow.admit({ ...parts, tokens: [[bucket, 3]] }).verdict, 'refuse')
  const readers = gov.shadow.admit({ locks: [[lock, { mode: 'shared', tier: 'critical' }]] })
  assert.equal([readers.verdict, readers.parts[0]?.tier], ['grant', 'critical'])
})

test('parts of which each is little enough, and which a bucket above can never give together, are refused', () => {
  const gov = virtual()
  const top = gov.bucket('top', { rate: 10, burst: 5 })
  const [a, b] = ['a', 'b'].map(name => gov.bucket(name, { rate: 10, burst: 5, parent: top })) as [Bucket, Bucket]
  const apart = gov.bucket('apart', { rate: 10, burst: 50 })
  const dryTop = gov.bucket('dry', { rate: 10, burst: 5, shadow: true })
  const dry = gov.bucket('dry a', { rate: 10, burst: 5, parent: dryTop, shadow: true })
  const never: Tokens[] = [
    [
      [a, 3],
      [apart, 9],
      [b, 3]
    ],
    [
      [top, 3],
      [a, 3]
    ]
  ]
  for (const tokens of never) {
    const { verdict, contention, wait, parts } = gov.shadow.admit({ tokens })
    assert.equal([verdict, contention, wait], ['refuse', 1, { p50: undefined, p95: undefined }])
    // By itself each would be there.
    assert.ok(parts.length === tokens.length && parts.every(part => part.verdict === 'grant'))
    isCoded(
      thrown(() => gov.tryAdmit({ tokens })),
      'ERR_FORELOCK_EXCEEDS'
    )
  }
  const fitting: Tokens[] = [
    [
      [a, 2],
      [b, 3]
    ],
    [
      [dryTop, 3],
      [dry, 3]
    ],
    [
      [a, 3],
      [apart, 40]
    ]
  ]
  for (const tokens of fitting) assert.is(gov.shadow.admit({ tokens }).verdict, 'grant')
  assert.equal([top.peek().remaining, apart.peek().remaining], [5, 50])
})

test('where nothing is known of one part, nothing is known of the whole', () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 1 } })
  const held = pool.tryAllocate({ cpu: 1 }) as Allocation
  const { verdict, wait } = gov.shadow.admit({ pool: [pool, { cpu: 1 }], locks: [gov.lock('a')] })
  assert.equal([verdict, wait], ['wait', { p50: undefined, p95: undefined }])
  held.release()
})

test('what an admission refuses, its shadow refuses', () => {
  const gov = virtual()
  const lock = gov.lock('a')
  for (const call of [
    () => gov.shadow.admit(undefined as never),
    () => gov.shadow.admit({ locks: [lock, lock] }),
    () => gov.shadow.admit({ locks: [virtual().lock('a')] }),
    () => gov.shadow.admit({ locks: [lock] }, { signal: new AbortController().signal } as object)
  ]) {
    isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
  }
})

test.run()
