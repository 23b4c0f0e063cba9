import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Governor, LeakReport } from '../../lib/index.js'
import { macrotask, virtual } from './support.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Takes a lock and forgets the grant. */
function leak(gov: Governor, name: string): bigint {
  return gov.lock(name).tryAcquire()!.token
}

/** Collects garbage until a report comes; the finalizers of one collection run some turns later. */
async function until(reported: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !reported(); turn++) {
    collect()
    await macrotask()
  }
}

test('a grant that is dropped without release is reported, and not released', async () => {
  const gov = virtual({ reportLeaks: true })
  const reports: LeakReport[] = []
  gov.on('leak', report => reports.push(report))
  const token = leak(gov, 'a')
  await until(() => reports.length > 0)
  assert.equal(reports, [{ resource: 'a', token, mode: 'exclusive', tier: 'standard' }])
  assert.is(gov.lock('a').tryAcquire(), null)
})

test('without a listener the report is a process warning', async () => {
  const gov = virtual({ reportLeaks: true })
  let warning: (Error & { code?: string }) | undefined
  const note = (value: Error) => {
    warning = value
  }
  process.on('warning', note)
  leak(gov, 'a')
  await until(() => warning !== undefined)
  process.off('warning', note)
  assert.is(warning?.code, 'FORELOCK_LEAK')
  assert.match(warning!.message, /"a"/)
})

test('a subscriber of the channel turns reports on, without the option', async () => {
  const gov = virtual()
  const heard: unknown[] = []
  const listener = (message: unknown) => heard.push(message)
  gov.on('leak', () => {})
  subscribe('forelock:leak', listener)
  leak(gov, 'a')
  await until(() => heard.length > 0)
  unsubscribe('forelock:leak', listener)
  assert.is((heard[0] as LeakReport).resource, 'a')
})

test('a grant that was released, and one that is in use, are not reported', async () => {
  const gov = virtual({ reportLeaks: true })
  const reports: LeakReport[] = []
  gov.on('leak', report => reports.push(report))
  gov.lock('released').tryAcquire()!.release()
  const kept = gov.lock('kept').tryAcquire()!
  leak(gov, 'leaked')
  await until(() => reports.length > 0)
  assert.equal(
    reports.map(report => report.resource),
    ['leaked']
  )
  kept.release()
})

test.run()
