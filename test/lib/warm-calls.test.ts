import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { locks } from '../../lib/lock.js'
import type { WarmNotice } from '../../lib/notices.js'
import { type OnWarm, WarmCalls } from '../../lib/warm-calls.js'
import { macrotask, virtual } from './support.js'

const notice = (what: string): WarmNotice => ({ event: 'warm', kind: 'lock', what, who: undefined, probability: 0.8, until: 300 })

function callsOf(onWarm: OnWarm, most = 4) {
  const gov = virtual()
  return { gov, calls: new WarmCalls(locks.sessionOf(gov.lock('any')), onWarm, most) }
}

test('it is called with the name, for how long, and what is known', async () => {
  const told: unknown[][] = []
  const { gov, calls } = callsOf((...args) => told.push(args))
  calls.call(notice('a'))
  assert.equal(told, [['a', 300, notice('a')]])
  await gov.close()
})

test('one that throws or is rejected is counted, is told of once, and hurts nobody', async () => {
  let count = 0
  const { gov, calls } = callsOf(async () => {
    if (++count % 2 === 0) throw new Error('no cache')
    await macrotask()
    throw Object.create(null)
  })
  const thrower = callsOf(() => {
    throw new Error('at once')
  })
  const warned = once(process, 'warning')
  thrower.calls.call(notice('a'))
  const [warning] = (await warned) as [Error & { code?: string }]
  assert.equal([warning.name, warning.code], ['ForelockAgentWarning', 'FORELOCK_WARM'])
  assert.match(warning.message, /lock "a".*at once/)
  for (const name of ['a', 'b', 'c', 'd']) calls.call(notice(name))
  await macrotask()
  await macrotask()
  assert.equal(calls.counts(), { called: 4, failed: 4, skipped: 0 })
  await Promise.all([gov.close(), thrower.gov.close()])
})

test('one that is slow does not pile up: once for each thing, and no more at once than are allowed', async () => {
  const open: (() => void)[] = []
  const { gov, calls } = callsOf(() => new Promise<void>(resolve => open.push(resolve)), 2)
  for (const name of ['a', 'a', 'b', 'c']) calls.call(notice(name))
  assert.equal(calls.counts(), { called: 2, failed: 0, skipped: 2 })
  open.shift()?.()
  await macrotask()
  calls.call(notice('a'))
  assert.is(calls.counts().called, 3)
  await gov.close()
})

test.run()
