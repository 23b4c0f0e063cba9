import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Governor, PlanNotice, WarmNotice } from '../../../lib/index.js'
import { locks } from '../../../lib/lock.js'
import { notify } from '../../../lib/notices.js'
import { isCoded, macrotask, thrown, virtual } from '../support.js'

const DUE: WarmNotice = { event: 'warm', kind: 'workflow', what: 'report', who: 'report', probability: 0.9, until: 300 }

const tell = (gov: Governor, ...notices: WarmNotice[]) => notify(locks.sessionOf(gov.lock('any')), notices)

test('who is foretold to begin is made ready, and what concerns others is not heard', async () => {
  const gov = virtual()
  const told: unknown[][] = []
  const report = gov.workflow('report', { onWarm: (...args) => told.push(args) })
  gov.workflow('other', { onWarm: () => assert.unreachable() })
  tell(gov, DUE, { ...DUE, kind: 'lock', what: 'ledger' })
  assert.equal(told, [['report', 300, DUE]])
  assert.is(report.readiness()?.called, 1)
  assert.is(gov.workflow('none').readiness(), undefined)
  await gov.close()
})

test('it was of use when a run begins in time, and of none when none does', async () => {
  const gov = virtual()
  const report = gov.workflow('report', { onWarm: () => {} })
  tell(gov, DUE)
  gov.advance(300)
  await report.run(() => {})
  await report.run(() => {})
  tell(gov, DUE)
  await macrotask()
  gov.advance(301)
  await report.run(() => {})
  tell(gov, DUE)
  gov.advance(301)
  assert.equal(report.readiness(), { called: 3, failed: 0, skipped: 0, used: 1, wasted: 2 })
  await gov.close()
})

test('it hears of what is warmed up for it as of any plan', async () => {
  const gov = virtual()
  const seen: PlanNotice[] = []
  gov.workflow('report').on('plan', plan => seen.push(plan))
  tell(gov, { ...DUE, kind: 'lock', what: 'ledger' }, { ...DUE, kind: 'lock', what: 'any', who: undefined }, { ...DUE, who: 'other' })
  assert.equal(seen, [{ event: 'plan', kind: 'warm', what: 'ledger', tier: undefined, who: 'report', amount: undefined, until: 300 }])
  await gov.close()
})

test('what makes it ready is a function, and fails for itself', async () => {
  const gov = virtual()
  isCoded(
    thrown(() => gov.workflow('w', { onWarm: 'now' as unknown as () => void })),
    'ERR_FORELOCK_ARGUMENT'
  )
  const report = gov.workflow('report', {
    onWarm: async () => {
      throw new Error('no worker')
    }
  })
  tell(gov, DUE)
  await macrotask()
  assert.is(report.readiness()?.failed, 1)
  assert.is(await report.run(() => 'done'), 'done')
  await gov.close()
})

test.run()
